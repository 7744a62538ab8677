/**
 * Runs the runtime once as a pod does, from the fetch of its model to SIGTERM, so that CACHE, its NODE_COMPILE_CACHE, then holds the code
 * of all of it. It stands in for the gateway and for the server of the model. A step of the image's build; it ends with an error if the runtime does not serve.
 *
 *   node warm-runtime.ts RUNTIME CACHE MODEL REQUEST
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { ANNOUNCEMENTS_PATH, type Announcement } from '../../common/wire/announcement.ts';
import { REQUEST_HEADERS } from '../../common/wire/headers.ts';
import {
  RUNTIME_ENVIRONMENT as NAMES,
  RUNTIME_NODE_FLAGS,
  type RuntimeSpecification,
} from '../../common/wire/runtime-environment.ts';

const POD_UID = 'image-build';
const DIRECTORY = '/var/cache/pilotlight';

const [runtimePath = '', cachePath = '', modelPath = '', requestPath = ''] = process.argv.slice(2);
const model = readFileSync(modelPath);
const body = readFileSync(requestPath);

const announced = Promise.withResolvers<Announcement>();
const server = createServer((request, response) => {
  if (request.url !== ANNOUNCEMENTS_PATH) {
    response.end(model);
    return;
  }
  void text(request).then((announcement) => {
    response.writeHead(204).end();
    announced.resolve(JSON.parse(announcement) as Announcement);
  });
}).listen(0, '127.0.0.1');
await once(server, 'listening');
const here = `127.0.0.1:${(server.address() as AddressInfo).port}`;

const runtime = spawn(process.execPath, [...RUNTIME_NODE_FLAGS, runtimePath], {
  stdio: 'inherit',
  env: { ...process.env, ...environment() },
});
const ended = once(runtime, 'exit');
const early = ended.then(([status]) => {
  throw new Error(`${runtimePath} ended with ${String(status)} before it was ready.`);
});
try {
  const { ports } = await Promise.race([announced.promise, early]);
  const inference = `http://127.0.0.1:${ports.http}/v2/models/warm-up`;
  // Twice: the first answer may still run code that the second shows to be needed often.
  for (let round = 0; round < 2; round++) {
    await fetched(`${inference}/infer`, { method: 'POST', body });
  }
  await fetched(inference, {});
  await calledByGrpc(ports.grpc ?? 0);
} finally {
  runtime.kill('SIGTERM');
  server.close();
}
const [status] = (await ended) as [number | null];
if (status !== 0) throw new Error(`${runtimePath} ended with ${String(status)} after SIGTERM, not with 0.`);

/** The question whether the server is healthy: no message is shorter, and what answers it is most of what answers any. */
async function calledByGrpc(port: number): Promise<void> {
  const session = connect(`http://127.0.0.1:${port}`);
  const call = session.request({
    ':method': 'POST',
    ':path': '/grpc.health.v1.Health/Check',
    'content-type': 'application/grpc',
    te: 'trailers',
    [REQUEST_HEADERS.podUid]: POD_UID,
  });
  call.end(Buffer.alloc(5));
  const [trailers] = (await once(call.resume(), 'trailers')) as [Record<string, unknown>];
  session.close();
  if (trailers['grpc-status'] !== '0') throw new Error(`gRPC answered ${JSON.stringify(trailers)}.`);
}

async function fetched(url: string, init: RequestInit): Promise<void> {
  const headers = { 'content-type': 'application/json', [REQUEST_HEADERS.podUid]: POD_UID };
  const response = await fetch(url, { ...init, headers });
  const answer = await response.text();
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${answer}`);
}

function environment(): Record<string, string> {
  const specification: RuntimeSpecification = {
    namespace: 'image',
    function: 'warm-up',
    revision: 'warm-up-1',
    model: { uri: `http://${here}/model.onnx` },
    executionProviders: ['CPU'],
    instances: 1,
    intraOpThreads: 1,
    batching: { maxBatchSize: 32, maxDelayMilliseconds: 0 },
    timeoutSeconds: 60,
  };
  return {
    NODE_COMPILE_CACHE: resolve(cachePath),
    [NAMES.specification]: JSON.stringify(specification),
    [NAMES.podName]: 'warm-up-1-0',
    [NAMES.podUid]: POD_UID,
    [NAMES.podHost]: '127.0.0.1',
    [NAMES.gateways]: here,
    [NAMES.announceToken]: 'none',
    [NAMES.drainToken]: 'none',
    [NAMES.httpPort]: '0',
    [NAMES.grpcPort]: '0',
    [NAMES.controlPort]: '0',
    [NAMES.metricsPort]: '0',
    [NAMES.modelDirectory]: DIRECTORY,
  };
}
