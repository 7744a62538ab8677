/** gRPC from a client's library to a runtime, through the gateway. */
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { GrpcClient, type Fields, type Reply } from '../../runtime/grpc/grpc-client.fixture.ts';
import { DIGITS } from './examples.ts';
import { ModelServer, whole } from './model-server.ts';
import { NAMESPACE, startPlatform, type Platform } from './platform.ts';
import { podProcesses } from './processes.ts';

jest.setTimeout(60_000);

const CLIENTS = 4;
const NEXT = '/next.onnx';

interface JsonTensor {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

const [{ data, ...pixels }] = (JSON.parse(DIGITS.request) as { inputs: [JsonTensor] }).inputs;
const RAW = Buffer.from(Float32Array.from(data).buffer);
const expected = DIGITS.expected.outputs.find(({ name }) => name === 'label')?.data ?? [];

let platform: Platform;
let models: ModelServer;
const clients: GrpcClient[] = [];
beforeAll(async () => {
  models = await ModelServer.start();
  platform = await startPlatform();
  await platform.apply('sleeping', { model: { uri: DIGITS.uri } });
  await platform.apply('rolled', { model: { uri: DIGITS.uri }, scaling: { minReplicas: 1, maxReplicas: 1 } });
  await platform.apply('killed', { model: { uri: DIGITS.uri }, scaling: { minReplicas: 1, maxReplicas: 1 } });
  await platform.apply('late', { model: { uri: models.url('/late.onnx') } });
  models.hold('/late.onnx');
  await platform.untilReady('rolled');
  await platform.untilReady('killed');
  await platform.untilReady('sleeping');
  await platform.untilRouted('late');
});
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});
afterAll(async () => {
  await platform.close();
  await models.close();
});

function clientOf(name: string): GrpcClient {
  const port = Number(new URL(platform.parts.gateways[0]).port);
  const client = new GrpcClient(port, { authority: `${name}.${NAMESPACE}` });
  clients.push(client);
  return client;
}

function request(name: string): Fields {
  return { model_name: name, inputs: [pixels], raw_input_contents: [RAW] };
}

function labels(response: Reply['response']): number[] {
  const { outputs, raw_output_contents: raw } = response as unknown as {
    readonly outputs: readonly { readonly name: string }[];
    readonly raw_output_contents: readonly Buffer[];
  };
  const bytes = raw[outputs.findIndex(({ name }) => name === 'label')] ?? Buffer.alloc(0);
  return Array.from({ length: bytes.length / 8 }, (_, index) => Number(bytes.readBigInt64LE(8 * index)));
}

test('a call wakes a function without pods and is answered right; the next says nothing of a wait', async () => {
  await platform.untilNoPods('sleeping');
  const client = clientOf('sleeping');
  const cold = await client.call('ModelInfer', request('sleeping'));
  expect(cold.error).toBeUndefined();
  expect(labels(cold.response)).toEqual(expected);
  expect(Number(cold.headers.get('pilotlight-cold-start')[0])).toBeGreaterThan(0);
  const warm = await client.call('ModelInfer', request('sleeping'));
  expect(labels(warm.response)).toEqual(expected);
  expect(warm.headers.get('pilotlight-cold-start')).toEqual([]);
});

test('a stream is answered message by message, and keeps its pod awake while it is open', async () => {
  const stream = clientOf('sleeping').stream('ModelStreamInfer');
  for (const id of ['a', 'b', 'c']) {
    stream.write({ ...request('sleeping'), id });
    const [{ infer_response: response }] = (await once(stream, 'data')) as [{ infer_response: { id: string } }];
    expect(response.id).toBe(id);
    expect(labels(response as unknown as Reply['response'])).toEqual(expected);
  }
  await platform.untilLoad('sleeping', 'one in a pod', ({ inFlight }) => inFlight === 1);
  const ended = new Promise((resolve) => stream.once('status', resolve));
  stream.end();
  stream.resume();
  expect(await ended).toMatchObject({ code: status.OK });
  await platform.untilLoad('sleeping', 'none in a pod', ({ inFlight }) => inFlight === 0);
});

test.each<[string, string, Fields, number, RegExp]>([
  ['no function', 'nothing', {}, status.NOT_FOUND, /no function "nothing"/],
  ['no model', 'rolled', { model_name: 'other' }, status.NOT_FOUND, /no model "other"/],
  ['no input', 'rolled', { inputs: [], raw_input_contents: [] }, status.INVALID_ARGUMENT, /"pixels" is missing/],
])('%s is a status with a sentence', async (_what, name, given, code, sentence) => {
  const { error } = await clientOf(name).call('ModelInfer', { ...request(name), ...given });
  expect(error).toMatchObject({ code, details: expect.stringMatching(sentence) });
});

test('a call that is cancelled while it waits, or whose deadline passes, gives up its place', async () => {
  const client = clientOf('late');
  const cancelled = client.call('ModelInfer', request('late'), {
    begun: (call) => {
      void platform.untilLoad('late', 'one queued', ({ queued }) => queued === 1).then(() => call.cancel());
    },
  });
  expect((await cancelled).error?.code).toBe(status.CANCELLED);
  await platform.untilLoad('late', 'none queued', ({ queued }) => queued === 0);
  const expired = await client.call('ModelInfer', request('late'), { deadline: Date.now() + 100 });
  expect(expired.error?.code).toBe(status.DEADLINE_EXCEEDED);
  await platform.untilLoad('late', 'none queued', ({ queued }) => queued === 0);
});

describe('under load nothing is lost', () => {
  test('when a new revision takes over and the pods of the old one drain', async () => {
    const load = new GrpcLoad('rolled');
    await load.pass(10 * CLIENTS);
    models.serve(NEXT, whole(DIGITS.model));
    await platform.apply('rolled', { model: { uri: models.url(NEXT) }, scaling: { minReplicas: 1, maxReplicas: 1 } });
    await load.until(({ headers }) => headers.get('pilotlight-revision')[0] === 'rolled-00002');
    await load.pass(10 * CLIENTS);
    await platform.untilReady('rolled');
    expect(await load.stop()).toEqual(new Set(['OK']));
  });

  test('when a runtime is killed with calls in it', async () => {
    const pod = await platform.onlyPod('killed');
    const load = new GrpcLoad('killed');
    await load.pass(10 * CLIENTS);
    const { runtime } = await podProcesses(pod);
    process.kill(runtime, 'SIGSTOP');
    await platform.untilLoad('killed', 'all in a pod', ({ inFlight }) => inFlight === CLIENTS);
    process.kill(runtime, 'SIGKILL');
    await load.pass(10 * CLIENTS);
    const statuses = await load.stop();
    // An answer is three frames: one whose head was out has been taken by its client, so that nobody else may give it.
    statuses.delete('14 UNAVAILABLE: The pod broke in the middle of its answer.');
    expect(statuses).toEqual(new Set(['OK']));
  });
});

/** Clients with a connection each, of which each sends one call after the other. */
class GrpcLoad {
  readonly #statuses = new Set<string>();
  readonly #running: readonly Promise<void>[];
  readonly #watching = new Set<(reply: Reply) => void>();
  #isStopped = false;

  constructor(name: string) {
    this.#running = Array.from({ length: CLIENTS }, async () => {
      const client = clientOf(name);
      while (!this.#isStopped) {
        const reply = await client.call('ModelInfer', request(name));
        this.#statuses.add(reply.error === undefined ? 'OK' : reply.error.message);
        for (const watch of this.#watching) watch(reply);
      }
    });
  }

  until(holds: (reply: Reply) => boolean): Promise<void> {
    return new Promise((resolve) => {
      const watch = (reply: Reply): void => {
        if (!holds(reply)) return;
        this.#watching.delete(watch);
        resolve();
      };
      this.#watching.add(watch);
    });
  }

  /** So many more are answered. */
  pass(count: number): Promise<void> {
    let left = count;
    return this.until(() => --left <= 0);
  }

  /** How calls ended. */
  async stop(): Promise<Set<string>> {
    this.#isStopped = true;
    await Promise.all(this.#running);
    return this.#statuses;
  }
}
