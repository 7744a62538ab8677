/** Starts what is compared: the runtime as its image starts it, and the peers as their documentation says. Each is on the one core of servers. */
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { RUNTIME_ENVIRONMENT, type RuntimeSpecification } from '../../../common/wire/runtime-environment.ts';
import { pythonEnvironment } from '../../python/python-environment.ts';
import type { BenchModel } from './models.ts';
import { PinnedProcess } from './pinned-process.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const PEER_FILES = join(ROOT, 'e2e', 'bench', 'peers');
const START_MILLISECONDS = 60_000;

export interface Server {
  readonly process: PinnedProcess;
  readonly port: number;
}

/** Gives each server that it started to `own`, whose owner ends it; writes below `directory`. */
export interface Workplace {
  readonly directory: string;
  own(process: PinnedProcess): void;
}

export async function startRuntime(
  workplace: Workplace,
  model: BenchModel,
  change: Partial<RuntimeSpecification> = {},
): Promise<Server> {
  const port = await freePort();
  const specification: RuntimeSpecification = {
    namespace: 'default',
    function: model.name,
    revision: `${model.name}-00001`,
    model: { uri: pathToFileURL(model.path).href },
    executionProviders: ['CPU'],
    instances: 1,
    intraOpThreads: 1,
    batching: { maxBatchSize: 32, maxDelayMilliseconds: 0 },
    timeoutSeconds: 60,
    ...change,
  };
  const names = RUNTIME_ENVIRONMENT;
  const process = new PinnedProcess(globalThis.process.execPath, [join(ROOT, 'dist', 'runtime.js')], {
    environment: {
      NODE_ENV: 'production',
      MALLOC_TRIM_THRESHOLD_: '131072',
      [names.specification]: JSON.stringify(specification),
      [names.modelDirectory]: workplace.directory,
      [names.httpPort]: String(port),
      [names.metricsPort]: '0',
      [names.logLevel]: 'error',
    },
  });
  workplace.own(process);
  return untilReady(process, port, '/v2/health/ready');
}

export const PEERS = ['FastAPI', 'KServe', 'MLServer'] as const;
export type Peer = (typeof PEERS)[number];

/** MLServer has no binary tensors over HTTP: it answers them 422. */
export function speaks(peer: Peer, encoding: 'binary' | 'JSON'): boolean {
  return peer !== 'MLServer' || encoding === 'JSON';
}

/** Where its packages cannot be had, the reason. */
export async function installPeer(peer: Peer): Promise<PeerInstallation | { readonly missing: string }> {
  const environment = await pythonEnvironment(join(PEER_FILES, `requirements-${peer.toLowerCase()}.txt`));
  return 'missing' in environment ? environment : { peer, ...environment };
}

export interface PeerInstallation {
  readonly peer: Peer;
  readonly directory: string;
  readonly python: string;
}

export async function startPeer(
  workplace: Workplace,
  { peer, directory, python }: PeerInstallation,
  model: BenchModel,
): Promise<Server> {
  const port = await freePort();
  const script = join(PEER_FILES, `${peer.toLowerCase()}_server.py`);
  const process =
    peer === 'MLServer'
      ? new PinnedProcess(
          python,
          [join(directory, 'bin', 'mlserver'), 'start', await mlserverFolder(workplace, model, port)],
          {
            environment: { PYTHONPATH: PEER_FILES },
          },
        )
      : new PinnedProcess(python, [script, model.path, model.name, String(port)]);
  workplace.own(process);
  return untilReady(process, port, '/v2/health/ready');
}

async function mlserverFolder({ directory }: Workplace, model: BenchModel, port: number): Promise<string> {
  const folder = join(directory, `mlserver-${model.name}`);
  mkdirSync(folder, { recursive: true });
  const settings = {
    host: '127.0.0.1',
    http_port: port,
    grpc_port: await freePort(),
    metrics_port: await freePort(),
    // In its own process: on one core, another would only cost it the way there.
    parallel_workers: 0,
    debug: false,
  };
  writeFileSync(join(folder, 'settings.json'), JSON.stringify(settings));
  const modelSettings = {
    name: model.name,
    implementation: 'mlserver_onnx.OnnxModel',
    parameters: { uri: model.path },
  };
  writeFileSync(join(folder, 'model-settings.json'), JSON.stringify(modelSettings));
  return folder;
}

async function untilReady(process: PinnedProcess, port: number, path: string): Promise<Server> {
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

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}
