/** A runtime around a fake model, listening on ports of its own, and a client that speaks plain HTTP to it. */
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { createLogger } from '../common/platform/logging.ts';
import { ManualClock } from '../common/platform/manual-clock.ts';
import { FakeModel } from './fake-model.ts';
import type { Model } from './inference.ts';
import { startRuntime, type Runtime, type RuntimeOptions } from './runtime.ts';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly json: Record<string, unknown>;
}

export interface Request {
  readonly method?: string;
  readonly headers?: Record<string, string | number>;
  readonly body?: string | Buffer;
  readonly port?: number;
  readonly signal?: AbortSignal;
}

export interface TestRuntime {
  readonly runtime: Runtime;
  readonly model: FakeModel;
  readonly clock: ManualClock;
  /** What the runtime said was fatal. */
  readonly fatal: string[];
  /** Sends one request on a connection of its own to the HTTP port, or another one. */
  send(path: string, request?: Request): Promise<Answer>;
  /** Sends an inference of the row [1, 2]. */
  infer(request?: Request): Promise<Answer>;
  /** Prometheus' text. */
  metrics(): Promise<string>;
}

export const POD = {
  name: 'digits-00001-0',
  uid: 'uid-1',
  host: '127.0.0.1',
  gateways: [],
  announceToken: 'announce-token',
  drainToken: 'drain-token',
};
export const ROW = '{"inputs":[{"name":"x","datatype":"FP32","shape":[1,2],"data":[1,2]}]}';
export const INFER = '/v2/models/digits/infer';

const started: TestRuntime[] = [];

/** Ends the runtimes of the test; each must leave no timer behind. */
export async function closeTestRuntimes(): Promise<void> {
  for (const { model, runtime, clock } of started.splice(0)) {
    model.release();
    const closed = runtime.close();
    await clock.advance(1_000);
    await closed;
    if (clock.pending > 0) throw new Error(`${clock.pending} timers are left of a closed runtime.`);
  }
}

/** With a promise as the model, the runtime is not ready until that resolves; otherwise it is when this resolves. */
export async function testRuntime(
  options: Partial<RuntimeOptions> = {},
  loading?: Promise<Model>,
  sessions = 1,
): Promise<TestRuntime> {
  const clock = new ManualClock();
  const model = new FakeModel({}, clock, sessions);
  const fatal: string[] = [];
  const runtime = await startRuntime({
    specification: {
      namespace: 'default',
      function: 'digits',
      revision: 'digits-00001',
      model: { uri: 'file:model.onnx' },
      executionProviders: ['CUDA', 'CPU'],
      instances: 1,
      intraOpThreads: 1,
      batching: { maxBatchSize: 8, maxDelayMilliseconds: 0 },
      timeoutSeconds: 60,
    },
    pod: POD,
    ports: { http: 0, grpc: 0, control: 0, metrics: 0 },
    host: '127.0.0.1',
    maxBodyBytes: 10_000,
    modelDirectory: '/nowhere',
    clock,
    logger: createLogger('test', 'silent'),
    random: () => 0,
    onFatal: (reason) => fatal.push(reason),
    load: () => loading ?? Promise.resolve(model),
    ...options,
  });
  if (loading === undefined) await runtime.ready;
  const send = (path: string, request: Request = {}): Promise<Answer> => sendTo(runtime.ports.http, path, request);
  const test: TestRuntime = {
    runtime,
    model,
    clock,
    fatal,
    send,
    infer: (request = {}) => send(INFER, { method: 'POST', body: ROW, ...request }),
    metrics: async () => (await send('/metrics', { port: runtime.ports.metrics })).body.toString(),
  };
  started.push(test);
  return test;
}

function sendTo(port: number, path: string, request: Request): Promise<Answer> {
  const { method = 'GET', headers = {}, body, signal } = request;
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(
      { host: '127.0.0.1', port: request.port ?? port, path, method, headers, agent: false, signal },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const received = Buffer.concat(chunks);
          const isJson =
            response.headers['content-type']?.startsWith('application/json') === true &&
            response.headers['content-encoding'] === undefined;
          const json = isJson && received.length > 0 ? (JSON.parse(received.toString()) as Answer['json']) : {};
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: received, json });
        });
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}
