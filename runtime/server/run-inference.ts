/** The run of one admitted request, whichever protocol brought it. Its answer, and that of an error, is the protocol's business. */
import { Abandoned, type Execution } from '../admission/execution.ts';
import { InferenceError, type InferenceResult, type Model } from '../inference.ts';
import type { ParsedRequest } from '../protocol/parse-request.ts';
import type { FailureReason } from './metrics.ts';
import { ModelLost } from './model-lost.ts';

/** Rejects with Abandoned, InferenceError or ModelLost. */
export async function runInference(
  model: Model,
  parsed: ParsedRequest,
  execution: Execution,
): Promise<InferenceResult> {
  const names = parsed.outputs?.map(({ name }) => name);
  try {
    const result = await execution.run((signal) =>
      model.infer({ inputs: parsed.inputs, ...(names !== undefined && { outputs: names }), signal }),
    );
    // Answered with a timeout already, or gone: the result is nobody's.
    if (execution.abandoned) throw new Abandoned('The run ended too late.');
    return result;
  } catch (error) {
    if (error instanceof Abandoned || error instanceof InferenceError) throw error;
    throw new ModelLost('The model is lost.', { cause: error });
  }
}

/** What the metrics count a request as that ended with this error. */
export function failureReason(error: unknown): FailureReason {
  if (error instanceof Abandoned) return 'CANCELED';
  return error instanceof InferenceError || error instanceof ModelLost ? 'BACKEND' : 'OTHER';
}
