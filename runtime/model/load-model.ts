/** Makes a model ready: threads, providers and the file at the same time, then the sessions, then their first runs. */
import { rm } from 'node:fs/promises';
import type { Clock } from '../../common/platform/clock.ts';
import type { Logger } from '../../common/platform/logging.ts';
import type { ModelFacts } from '../../common/wire/announcement.ts';
import type { RuntimeSpecification } from '../../common/wire/runtime-environment.ts';
import { BODY_MEMORY } from '../admission/gate.ts';
import { measureMemoryLimit } from '../admission/memory-limit.ts';
import { findBatchAxis } from '../batching/batch-axis.ts';
import { printableUri } from '../delivery/model-uri.ts';
import { openModel, type ModelFile } from '../delivery/open-model.ts';
import { InferenceError, StartError, type Model } from '../inference.ts';
import { declareTensors, tensorFacts } from './declared-tensor.ts';
import { parseExecutionProviders, type ExecutionProvider } from './execution-providers.ts';
import { OptimisedGraphs, isWorthKeeping, mayBeOptimised } from './optimised-graphs.ts';
import { OnnxModel } from './onnx-model.ts';
import { SessionThread } from './session-thread.ts';
import { startThreads, type StartedThread } from './start-thread.ts';
import type { MissingProvider, SessionFacts, SessionOptions } from './session-worker.ts';
import { findUnknownRanks } from './unknown-ranks.ts';
import { warmUp, type WarmUpLimits, type WarmUpModel, type WarmUpResult } from './warm-up.ts';

export interface LoadModelOptions {
  /** The one directory that is written to: fetched models go there, by digest. */
  readonly directory: string;
  /** Of its sessions, if they were started before. */
  readonly threads?: readonly StartedThread[] | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** Keeps every optimised graph, even if that does not pay; only in tests. */
  readonly keepsGraphs?: boolean;
  /** Bytes of memory that requests may take; another one only in tests. */
  readonly memoryLimit?: () => number;
}

/**
 * Rejects with StartError, whose message is for the person who wrote the specification, or with the signal's reason; either only after all its
 * threads have ended, because ending the process while ONNX Runtime works would abort it.
 */
export async function loadModel(specification: RuntimeSpecification, options: LoadModelOptions): Promise<Model> {
  const started = options.threads ?? startThreads(specification.instances);
  const threads = started.map((thread) => new SessionThread(thread));
  const stopped = new AbortController();
  try {
    const providers = parseExecutionProviders(specification.executionProviders);
    if (threads.length === 0) throw new StartError('ConfigurationInvalid', 'instances must be at least 1.');
    const died = Promise.race(threads.map(({ failed }) => failed)).then((error) => {
      throw new StartError(
        'ModelInvalid',
        `The model at ${printableUri(specification.model.uri)} ended its thread: ${error.message}`,
      );
    });
    const signal = AbortSignal.any([options.signal, stopped.signal]);
    return await Promise.race([died, load(specification, providers, threads, { ...options, signal })]);
  } catch (error) {
    stopped.abort();
    await Promise.all(threads.map((thread) => thread.close()));
    throw error;
  }
}

async function load(
  specification: RuntimeSpecification,
  providers: readonly ExecutionProvider[],
  threads: readonly SessionThread[],
  { directory, clock, logger, signal, keepsGraphs = false, memoryLimit = measureMemoryLimit }: LoadModelOptions,
): Promise<Model> {
  const { model, intraOpThreads, batching } = specification;
  const uri = printableUri(model.uri);
  const phases: Record<string, number> = {};
  const timed = async <Result>(phase: string, work: Promise<Result>): Promise<Result> => {
    const start = clock.monotonic();
    const result = await work;
    phases[phase] = clock.monotonic() - start;
    signal.throwIfAborted();
    return result;
  };
  const prepare = async (): Promise<{ available: readonly ExecutionProvider[]; version: string }> => {
    const prepared = await Promise.all(threads.map((thread) => thread.prepare(providers)));
    const missing = prepared.flatMap((answer) => answer.missing);
    // What one session lacks, none uses: equal requests should cost the same.
    const available = providers.filter((provider) => missing.every((absent) => absent.provider !== provider));
    if (available.length === 0) throw unavailable(missing);
    const [first] = missing;
    if (first !== undefined) {
      logger.warn(
        { missing: first.provider, reason: first.reason, available },
        'Fell back to another execution provider',
      );
    }
    return { available, version: prepared[0]?.version ?? '' };
  };
  const [{ available, version }, file] = await Promise.all([
    timed('workerStart', prepare()),
    timed('fetch', openModel(model, { directory, clock, signal })),
  ]);
  const options = { executionProviders: available, intraOpThreads, settings: specification.session };
  const graphs = mayBeOptimised(options) ? new OptimisedGraphs(directory, version, clock) : undefined;
  const [{ facts: created, isOptimised }, digest] = await Promise.all([
    timed('session', createSessions(threads, file, options, uri, graphs)),
    file.digest,
  ]);
  await file.confirm?.();
  const given = created[0]?.inputs ?? [];
  const mayBeOfAnyShape = given.some(({ shape }) => shape?.length === 0);
  const inputs = declareTensors('input', given, mayBeOfAnyShape ? findUnknownRanks(file.path) : undefined);
  const outputs = declareTensors('output', created[0]?.outputs ?? []);
  const axis = findBatchAxis(inputs, outputs);
  // All sessions have their first run at once.
  const mostBytes = Math.floor(memoryLimit() / BODY_MEMORY / threads.length);
  const warmed = await timed('warmUp', warmUpAll(threads, { inputs, outputs, axis }, { ...batching, mostBytes }));
  if (warmed.cold !== undefined) {
    logger.warn({ reason: warmed.cold }, 'Could not warm the model up with made-up inputs');
  }
  const facts: ModelFacts = {
    ...digest,
    inputs: inputs.map(tensorFacts),
    outputs: outputs.map(tensorFacts),
    batching: warmed.batching,
  };
  logger.info({ uri, ...digest, batching: facts.batching.reason, phases }, 'Loaded model');
  return new OnnxModel({
    facts,
    executionProviders: available,
    phases,
    workers: threads,
    hasRows: axis.batchable,
    limits: batching,
    clock,
    longestRun: 2000 * specification.timeoutSeconds,
    ...(batching.mode === 'Auto' && warmed.makeRows !== undefined && { makeRows: warmed.makeRows }),
    ...(graphs !== undefined &&
      !isOptimised &&
      (keepsGraphs || isWorthKeeping(phases['session'] ?? 0, digest)) && {
        whenQuiet: () =>
          graphs.keep(digest, file.path, options, keepsGraphs ? Infinity : undefined).then(
            (kept) =>
              logger.info({ uri, ...kept }, 'path' in kept ? 'Kept the optimised graph' : 'Kept no optimised graph'),
            (error: unknown) => logger.warn({ uri, err: error }, 'Could not keep the optimised graph'),
          ),
      }),
    onMeasured: (measured) => logger.info({ uri, batching: measured }, 'Measured what batches pay'),
  });
}

/** From the optimised graph where there is one that ONNX Runtime still takes. */
async function createSessions(
  threads: readonly SessionThread[],
  file: ModelFile,
  options: SessionOptions,
  uri: string,
  graphs: OptimisedGraphs | undefined,
): Promise<{ readonly facts: readonly SessionFacts[]; readonly isOptimised: boolean }> {
  const create = (path: string): Promise<SessionFacts[]> =>
    Promise.all(threads.map((thread) => createSession(thread, path, options, uri)));
  const optimised = await graphs?.find(file.digest);
  if (optimised !== undefined) {
    try {
      return { facts: await create(optimised), isOptimised: true };
    } catch (error) {
      if (!(error instanceof StartError)) throw error;
      await rm(optimised, { force: true });
    }
  }
  return { facts: await create(file.path), isOptimised: false };
}

async function createSession(
  thread: SessionThread,
  path: string,
  options: SessionOptions,
  uri: string,
): Promise<SessionFacts> {
  try {
    return await thread.create(path, options);
  } catch (error) {
    if (!(error instanceof InferenceError)) throw error;
    throw new StartError('ModelInvalid', `ONNX Runtime cannot load the model at ${uri}: ${error.message}`);
  }
}

/** Every session has its first run; the first of them also shows whether rows may share a run. */
async function warmUpAll(
  threads: readonly SessionThread[],
  model: WarmUpModel,
  limits: WarmUpLimits,
): Promise<WarmUpResult> {
  const results = await Promise.all(
    threads.map((thread, index) => warmUp(thread, model, index === 0 ? limits : { ...limits, maxBatchSize: 1 })),
  );
  return results[0] ?? { batching: { enabled: false, reason: '' } };
}

function unavailable(missing: readonly MissingProvider[]): StartError {
  const reasons = [...new Map(missing.map(({ provider, reason }) => [provider, `${provider}: ${reason}`])).values()];
  return new StartError(
    'ExecutionProviderUnavailable',
    `None of the execution providers works on this machine (${reasons.join('; ')}). Add CPU to executionProviders to fall back to it.`,
  );
}
