/** Starts the runtime as its image starts it, with nothing in front. */
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import {
  RUNTIME_ALLOCATOR,
  RUNTIME_ENVIRONMENT,
  RUNTIME_NODE_FLAGS,
  type RuntimeSpecification,
} from '../../common/wire/runtime-environment.ts';
import { MeasuredProcess } from './measured-process.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const START_MILLISECONDS = 60_000;

export interface Server {
  readonly process: MeasuredProcess;
  readonly port: number;
}

export interface RuntimeServer extends Server {
  readonly grpcPort: number;
  readonly metricsPort: number;
}

/** Gives each server that it started to `own`, whose owner ends it; writes below `directory`. */
export interface Workplace {
  readonly directory: string;
  /** Of the processor, for what is started; any if absent. */
  readonly core?: number;
  own(process: MeasuredProcess): void;
}

export interface ServedModel {
  readonly name: string;
  readonly path: string;
}

/** What a function gets that says nothing but its model, on one core. */
export function defaultSpecification({ name, path }: ServedModel): RuntimeSpecification {
  return {
    namespace: 'default',
    function: name,
    revision: `${name}-00001`,
    model: { uri: pathToFileURL(path).href },
    executionProviders: ['CPU'],
    instances: 1,
    intraOpThreads: 1,
    batching: { mode: 'Auto', maxBatchSize: 32, maxDelayMilliseconds: 0 },
    timeoutSeconds: 60,
  };
}

export async function startRuntime(
  workplace: Workplace,
  model: ServedModel,
  change: Partial<RuntimeSpecification> = {},
  environment: Readonly<Record<string, string>> = {},
): Promise<RuntimeServer> {
  const [port, grpcPort, metricsPort] = [await freePort(), await freePort(), await freePort()];
  const specification = { ...defaultSpecification(model), ...change };
  const names = RUNTIME_ENVIRONMENT;
  const process = new MeasuredProcess(
    globalThis.process.execPath,
    [...RUNTIME_NODE_FLAGS, join(ROOT, 'dist', 'runtime.js')],
    {
      core: workplace.core,
      environment: {
        NODE_ENV: 'production',
        ...RUNTIME_ALLOCATOR,
        [names.specification]: JSON.stringify(specification),
        [names.modelDirectory]: workplace.directory,
        [names.httpPort]: String(port),
        [names.grpcPort]: String(grpcPort),
        [names.metricsPort]: String(metricsPort),
        [names.logLevel]: 'error',
        ...environment,
      },
    },
  );
  workplace.own(process);
  return { ...(await untilReady(process, port, '/v2/health/ready')), grpcPort, metricsPort };
}

export async function untilReady(process: MeasuredProcess, port: number, path: string): Promise<Server> {
  // Nobody reads what it prints, which must not fill the pipe.
  process.child.stdout.resume();
  const end = performance.now() + START_MILLISECONDS;
  while (performance.now() < end && !process.ended) {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`).catch(() => undefined);
    if (answer?.status === 200) return { process, port };
    await pause(50);
  }
  throw new Error(`${process.child.spawnargs.join(' ')} did not become ready: ${process.errors}`);
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}
