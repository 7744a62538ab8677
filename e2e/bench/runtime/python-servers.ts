/** Starts the usual Python servers, each as its documentation says. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pythonEnvironment } from '../../python/python-environment.ts';
import { MeasuredProcess } from '../../server/measured-process.ts';
import { freePort, untilReady, type Server, type Workplace } from '../../server/start-runtime.ts';
import type { BenchModel } from './models.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const PEER_FILES = join(ROOT, 'e2e', 'bench', 'peers');

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
  const { core } = workplace;
  const port = await freePort();
  const script = join(PEER_FILES, `${peer.toLowerCase()}_server.py`);
  const process =
    peer === 'MLServer'
      ? new MeasuredProcess(
          python,
          [join(directory, 'bin', 'mlserver'), 'start', await mlserverFolder(workplace, model, port)],
          { core, environment: { PYTHONPATH: PEER_FILES } },
        )
      : new MeasuredProcess(python, [script, model.path, model.name, String(port)], { core });
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
