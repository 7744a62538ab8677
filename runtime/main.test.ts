/** The process itself, around real models: how it starts, serves, hangs, fails and ends. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, test } from '@jest/globals';

const HERE = import.meta.dirname;
const MAIN = join(HERE, 'main.ts');

let directory: string;
let running: ChildProcess[] = [];
let gateway: Server | undefined;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'runtime-'));
});

afterEach(async () => {
  for (const child of running) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    await exited;
  }
  running = [];
  gateway?.closeAllConnections();
  gateway?.close();
  gateway = undefined;
  rmSync(directory, { recursive: true });
});

interface Ports {
  readonly http: number;
  readonly metrics: number;
}

interface Program {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  readonly terminationLog: string;
  /** Ports of the next start that became ready. */
  ready(): Promise<Ports>;
}

interface StartOptions {
  readonly environment?: Record<string, string>;
  readonly timeoutSeconds?: number;
  /** Arguments in front of the program. */
  readonly supervisor?: readonly string[];
}

function start(fixture: string, { environment = {}, timeoutSeconds = 1, supervisor = [] }: StartOptions = {}): Program {
  const terminationLog = join(directory, 'termination-log');
  const specification = {
    namespace: 'default',
    function: 'model',
    revision: 'model-00001',
    model: { uri: pathToFileURL(join(HERE, 'model', 'fixtures', `${fixture}.onnx`)).href },
    executionProviders: ['CPU'],
    instances: 1,
    intraOpThreads: 1,
    batching: { maxBatchSize: 8, maxDelayMilliseconds: 0 },
    timeoutSeconds,
  };
  const [file, ...rest] = [...supervisor, process.execPath, MAIN];
  const child = spawn(file, rest, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      ...process.env,
      PILOTLIGHT_RUNTIME: JSON.stringify(specification),
      PILOTLIGHT_MODEL_DIRECTORY: directory,
      PILOTLIGHT_TERMINATION_LOG: terminationLog,
      PILOTLIGHT_HTTP_PORT: '0',
      PILOTLIGHT_GRPC_PORT: '0',
      PILOTLIGHT_CONTROL_PORT: '0',
      PILOTLIGHT_METRICS_PORT: '0',
      ...environment,
    },
  });
  running.push(child);
  const lines = createInterface({ input: child.stderr })[Symbol.asyncIterator]();
  return {
    child,
    ended: once(child, 'exit').then(([code]) => code as number | null),
    terminationLog,
    async ready() {
      let ports: Ports | undefined;
      for (;;) {
        const { value, done } = await lines.next();
        if (done === true) throw new Error('The runtime ended before it was ready.');
        if (!value.startsWith('{')) continue;
        const entry = JSON.parse(value) as { readonly ports?: Ports; readonly phase?: string };
        ports = entry.ports ?? ports;
        if (entry.phase === 'Ready' && ports !== undefined) return ports;
      }
    },
  };
}

async function infer(port: number, inputs: object[], headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`http://127.0.0.1:${port}/v2/models/model/infer`, {
    method: 'POST',
    body: JSON.stringify({ inputs }),
    headers: { connection: 'close', ...headers },
  });
}

/** Resolves once the pod says that a request is in it. */
async function untilInFlight(metricsPort: number): Promise<void> {
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${metricsPort}/metrics`, { headers: { connection: 'close' } });
    if (/^pilotlight_runtime_requests_in_flight\S* 1$/m.test(await answer.text())) return;
  }
}

const row = { name: 'x', datatype: 'FP32', shape: [1, 4], data: [1, 2, 3, 4] };
const trips = (count: number): object => ({ name: 'trips', datatype: 'INT64', shape: [], data: [count] });

test('serves a real model, and ends with 0 on SIGTERM', async () => {
  const program = start('add-one');
  const { http } = await program.ready();
  const answer = await infer(http, [row]);
  expect(await answer.json()).toMatchObject({ outputs: [{ name: 'y', shape: [1, 4], data: [2, 3, 4, 5] }] });
  program.child.kill('SIGTERM');
  expect(await program.ended).toBe(0);
});

test('lets a run that goes on at SIGTERM end, and answers it', async () => {
  const program = start('loop', { timeoutSeconds: 60 });
  const { http, metrics } = await program.ready();
  const answer = infer(http, [trips(20_000)]);
  await untilInFlight(metrics);
  program.child.kill('SIGTERM');
  expect((await answer).status).toBe(200);
  expect(await program.ended).toBe(0);
});

test('kills itself when a run does not end, and is started again in place', async () => {
  const program = start('loop', { supervisor: [join(HERE, 'supervise.sh')] });
  const { http } = await program.ready();
  const hanging = await infer(http, [trips(1_000_000_000)]);
  expect(hanging.status).toBe(504);
  const { http: again } = await program.ready();
  expect((await infer(again, [trips(1)])).status).toBe(200);
  program.child.kill('SIGTERM');
  expect(await program.ended).toBe(0);
});

test('announces itself to its gateways once it is warm', async () => {
  const announced = Promise.withResolvers<unknown>();
  gateway = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      response.writeHead(204).end();
      announced.resolve(JSON.parse(text));
    });
  });
  gateway.listen(0, '127.0.0.1');
  await once(gateway, 'listening');
  const program = start('add-one', {
    environment: {
      PILOTLIGHT_POD_NAME: 'model-00001-0',
      PILOTLIGHT_POD_UID: 'uid-1',
      PILOTLIGHT_POD_HOST: '127.0.0.1',
      PILOTLIGHT_GATEWAYS: `127.0.0.1:${(gateway.address() as AddressInfo).port}`,
      PILOTLIGHT_ANNOUNCE_TOKEN: 'a',
      PILOTLIGHT_DRAIN_TOKEN: 'd',
    },
  });
  const { http } = await program.ready();
  expect(await announced.promise).toMatchObject({
    namespace: 'default',
    revision: 'model-00001',
    pod: 'model-00001-0',
    uid: 'uid-1',
    host: '127.0.0.1',
    ports: { http, grpc: expect.any(Number), control: expect.any(Number) },
    executionProviders: ['CPU'],
    model: { inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 4] }] },
    phases: { session: expect.any(Number), ready: expect.any(Number) },
  });
});

test.each<[about: string, fixture: string, environment: Record<string, string>, reason: string, says: string]>([
  ['a model that is not there', 'nothing', {}, 'ModelNotFound', 'nothing.onnx'],
  ['a type that cannot be served', 'bfloat16', {}, 'ModelUnsupported', 'bfloat16'],
  [
    'a variable that makes no sense',
    'add-one',
    { PILOTLIGHT_HTTP_PORT: 'x' },
    'ConfigurationInvalid',
    'PILOTLIGHT_HTTP_PORT',
  ],
])('with %s it ends with 1 and says why', async (_about, fixture, environment, reason, says) => {
  // prettier-ignore
  const { ended, terminationLog } = start(fixture, { environment });
  expect(await ended).toBe(1);
  const failure: unknown = JSON.parse(readFileSync(terminationLog, 'utf8'));
  expect(failure).toEqual({ reason, message: expect.stringContaining(says) });
});
