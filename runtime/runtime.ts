/**
 * One runtime: the model in its threads, the servers in front of it, and the announcement once it is warm. The threads start first, and everything
 * that only the servers need is imported while they load: a start then takes as long as the model alone.
 */
import type { Clock } from '../common/platform/clock.ts';
import type { Logger } from '../common/platform/logging.ts';
import type { RuntimeSpecification } from '../common/wire/runtime-environment.ts';
import type { Phase } from './admission/decide-admission.ts';
import { Gate } from './admission/gate.ts';
import { measureMemoryLimit } from './admission/memory-limit.ts';
import { announce } from './announce/announce.ts';
import type { Pod } from './configuration.ts';
import type { Model } from './inference.ts';
import { loadModel } from './model/load-model.ts';
import type { StartedThread } from './model/start-thread.ts';

export interface RuntimeOptions {
  readonly specification: RuntimeSpecification;
  /** Of its sessions, if they were started before; they end with the runtime. */
  readonly threads?: readonly StartedThread[];
  /** Who this process is to gateways and operators. Without it there is no control port and no announcement, and every caller is a stranger. */
  readonly pod?: Pod | undefined;
  /** 0 takes any free port. */
  readonly ports: { readonly http: number; readonly grpc: number; readonly control: number; readonly metrics: number };
  /** Every address of the machine if absent. */
  readonly host?: string | undefined;
  readonly maxBodyBytes: number;
  /** The one directory that is written to. */
  readonly modelDirectory: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** From 0 to 1. */
  readonly random: () => number;
  /** The process cannot go on: a run does not end, or a thread of the model died. It must end without any clean-up, which could wait for that run. */
  readonly onFatal: (reason: string) => void;
  /** Another one only in tests, as `load`. */
  readonly memoryLimit?: () => number;
  readonly load?: typeof loadModel;
}

export interface Runtime {
  /** Those taken; `control` only for a pod. */
  readonly ports: { readonly http: number; readonly grpc: number; readonly control?: number; readonly metrics: number };
  /** Resolves when the model is warm and requests are admitted; rejects with StartError, or because of an early close. */
  readonly ready: Promise<Model>;
  /** Admits nothing more, says so to those who come yet, lets what is in flight end, then ends servers and threads. */
  close(): Promise<void>;
}

/**
 * A pod that was Ready a moment ago is still sent requests: gateways hear of its end through the API server and an operator, in less than this. It answers
 * them meanwhile that they are not admitted. A connection that breaks instead may have had one under way, which can be tried again only once, and with a
 * namespace or a node all pods of a function end in the same instant.
 */
const FAREWELL_MILLISECONDS = 1_000;

/** Resolves once it listens; requests are refused as not admitted until the model is warm. Rejects with StartError if a port cannot be had. */
export async function startRuntime(options: RuntimeOptions): Promise<Runtime> {
  const { specification, threads, pod, clock, logger, load = loadModel, memoryLimit = measureMemoryLimit } = options;
  const begun = clock.monotonic();
  const stop = new AbortController();
  const { signal } = stop;
  const directory = options.modelDirectory;
  const loading = load(specification, { directory, threads, clock, logger, signal, memoryLimit });
  const closeModel = async (): Promise<void> => {
    stop.abort(new Error('The runtime was closed while its model was loading.'));
    await loading.then(
      (loaded) => loaded.close(),
      () => undefined,
    );
  };

  let model: Model | undefined;
  let followPhase: (phase: Phase) => void = () => undefined;
  const gate = new Gate({
    clock,
    uid: pod?.uid,
    maxBodyBytes: options.maxBodyBytes,
    onPhase: (phase) => followPhase(phase),
  });
  /** Whoever a session that works will still answer is not cut: first nobody new is admitted, and those who wait get their answers or their timeouts. */
  const endHung = async (timeout: number): Promise<void> => {
    const reason = `A run went on for more than twice its ${timeout / 1000} s.`;
    if (model?.hasRunSince(clock.monotonic() - timeout) === true) {
      logger.warn({ reason }, 'Takes no more requests, and ends when nobody waits for another session');
      gate.terminate();
      servers.endStreams();
      const { promise: late, resolve } = Promise.withResolvers<undefined>();
      const cancel = clock.after(timeout, () => resolve(undefined));
      await Promise.race([gate.deserted(), late]);
      cancel();
    }
    options.onFatal(reason);
  };
  const { startServers } = await import('./server/start-servers.ts');
  const servers = await startServers({
    name: specification.function,
    version: specification.revision,
    specification,
    gate,
    model: () => model,
    warm: loading,
    clock,
    logger,
    timeout: specification.timeoutSeconds * 1000,
    onHung: (timeout) => void endHung(timeout),
    ports: options.ports,
    host: options.host,
    drainToken: pod?.drainToken,
  }).catch(async (error: unknown) => {
    await closeModel();
    throw error;
  });
  const listening = clock.monotonic();
  logger.info({ ports: servers.ports }, 'Began to listen');

  const begin = async (): Promise<Model> => {
    const loaded = await loading;
    model = loaded;
    void loaded.failed.then((error) => options.onFatal(error.message));
    const phases = { ...loaded.phases, process: begun, listen: listening - begun, ready: clock.monotonic() };
    logger.info({ phases }, 'Warmed up');
    servers.metrics.started(loaded, specification.executionProviders, phases);
    followPhase = phaseFollower(options, servers.ports, loaded, phases);
    gate.open(memoryLimit());
    return loaded;
  };
  const ready = begin();
  // Nobody may be waiting for it when it fails; whoever does later still sees why.
  ready.catch(() => undefined);
  return {
    ports: servers.ports,
    ready,
    async close() {
      const isExpected = pod === undefined || gate.phase !== 'Ready';
      gate.terminate();
      servers.endStreams();
      if (!isExpected) await new Promise<void>((resolve) => clock.after(FAREWELL_MILLISECONDS, resolve));
      await gate.idle();
      await servers.close();
      await closeModel();
    },
  };
}

/** Announces the pod whenever it becomes ready, again after a drain that lapsed, and falls silent when it takes no more requests. */
function phaseFollower(
  { specification, pod, clock, logger, random }: RuntimeOptions,
  ports: Runtime['ports'],
  { facts, executionProviders }: Model,
  phases: Readonly<Record<string, number>>,
): (phase: Phase) => void {
  let announcing = new AbortController();
  return (phase) => {
    logger.info({ phase }, 'Changed phase');
    announcing.abort();
    const { http, grpc, control } = ports;
    if (phase !== 'Ready' || pod === undefined || control === undefined) return;
    announcing = new AbortController();
    const announcement = {
      namespace: specification.namespace,
      revision: specification.revision,
      pod: pod.name,
      uid: pod.uid,
      host: pod.host,
      ports: { http, grpc, control },
      executionProviders,
      model: facts,
      phases,
    };
    const { gateways, announceToken: token } = pod;
    void announce({ announcement, gateways, token, clock, logger, random, signal: announcing.signal });
  };
}
