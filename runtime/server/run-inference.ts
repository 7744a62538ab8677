/** The run of one admitted request, whichever protocol brought it. Its answer, and that of an error, is the protocol's business. */
import { Abandoned, type Execution } from '../admission/execution.ts';
import { Refused } from '../admission/refused.ts';
import type { TensorMemory } from '../admission/tensor-memory.ts';
import { ExpiredError, InferenceError, type InferenceResult, type Model } from '../inference.ts';
import type { ParsedRequest } from '../protocol/parse-request.ts';
import type { RuntimeMetrics } from './metrics.ts';
import { ModelLost } from './model-lost.ts';
import type { FailureReason } from './statistics.ts';

const MICROSECONDS = 1000;

/** A request's own timeout counts from its admission. Rejects with Abandoned, ExpiredError, InferenceError, ModelLost, or for want of memory with Refused or ProtocolError. */
export async function runInference(
  model: Model,
  parsed: ParsedRequest,
  execution: Execution,
  memory: TensorMemory,
  metrics: Pick<RuntimeMetrics, 'ran'>,
  mayTakeInputs = false,
): Promise<InferenceResult> {
  const { inputs, priority, timeout } = parsed;
  const outputs = parsed.outputs?.map(({ name }) => name);
  const deadline = timeout === undefined ? undefined : execution.admittedAt + timeout / MICROSECONDS;
  const result = await execution.run(async (signal) => {
    memory.takeInputs(inputs);
    try {
      return await model.infer({
        inputs,
        mayTakeInputs,
        signal,
        ...(outputs !== undefined && { outputs }),
        ...(priority !== undefined && { priority }),
        ...(deadline !== undefined && { deadline }),
      });
    } catch (error) {
      if (error instanceof Abandoned || error instanceof InferenceError || error instanceof ExpiredError) throw error;
      throw new ModelLost('The model is lost.', { cause: error });
    }
  });
  metrics.ran(result);
  // Answered with a timeout already, or gone: the result is nobody's.
  if (execution.abandoned) throw new Abandoned('The run ended too late.');
  memory.takeOutputs(result.outputs);
  return result;
}

/** What the metrics count a request as that ended with this error. */
export function failureReason(error: unknown): FailureReason {
  if (error instanceof Abandoned || error instanceof ExpiredError) return 'CANCELED';
  if (error instanceof Refused) return 'REJECTED';
  return error instanceof InferenceError || error instanceof ModelLost ? 'BACKEND' : 'OTHER';
}
