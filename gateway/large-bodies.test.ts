/** Bodies of which a pod has more than their beginning when it dies. The clock stands still: memory is counted, not measured. */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:http2';
import { afterEach, describe, expect, test } from '@jest/globals';
import { answerTo, call, open } from './testing/client.ts';
import { functionRoute, GatewayFixture, revisionRoute } from './testing/gateway-fixture.ts';
import { GrpcClient } from './testing/grpc-client.ts';
import { begin, StubGrpcRuntime, type GrpcCall } from './testing/stub-grpc-runtime.ts';
import type { Behaviour, StubRuntime } from './testing/stub-runtime.ts';

const PLENTY = { maxQueuedRequests: 100, maxHeldBytes: 64 * 1024 * 1024 };
/** An image as a tensor. */
const IMAGE = randomBytes(1 * 3 * 224 * 224 * 4);
const DECLARED = { 'content-length': String(IMAGE.length) };
const CHUNKED = { 'transfer-encoding': 'chunked' };

let gateway: GatewayFixture;
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  await gateway.close();
});

async function serve(holding: typeof PLENTY, ...behaviours: Behaviour[]): Promise<StubRuntime[]> {
  gateway = await GatewayFixture.start({ holding });
  gateway.random = () => 0;
  const pods: StubRuntime[] = [];
  for (const [at, behaviour] of behaviours.entries()) pods.push(await gateway.runtime(`pod${at}`, behaviour));
  await gateway.leader([functionRoute({ revisions: [revisionRoute(pods.map((one) => one.route()))] })]);
  return pods;
}

const heldBytes = (): Promise<number> => gateway.metric('pilotlight_gateway_held_bytes');

/** Reads so many bytes and dies. */
function dieAfter(bytes: number): Behaviour {
  return ({ request }, runtime) => {
    let read = 0;
    request.on('data', (chunk: Buffer) => {
      read += chunk.length;
      if (read >= bytes) runtime.breakConnections();
    });
  };
}

/** Answers with the length and the digest of what it got. */
const digest: Behaviour = ({ request, response }, { uid }) => {
  const hash = createHash('sha256');
  let length = 0;
  request.on('data', (chunk: Buffer) => {
    length += chunk.length;
    hash.update(chunk);
  });
  request.on('end', () =>
    response.writeHead(200, { 'pilotlight-pod-uid': uid }).end(`${length} ${hash.digest('hex')}`),
  );
};

function digestOf(body: Buffer): string {
  return `${body.length} ${createHash('sha256').update(body).digest('hex')}`;
}

/** By HTTP/2 a body has a length only if its client says so. */
async function callHttp2(headers: Readonly<Record<string, string>>): Promise<{ status: number; text: string }> {
  const session = connect(`http://127.0.0.1:${gateway.ports.http}`);
  closing.push(() => session.destroy());
  const stream = session.request({ ':method': 'POST', ':path': '/', ':authority': 'digits.default', ...headers });
  stream.end(IMAGE);
  const answered = once(stream, 'response');
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(stream, 'end');
  const [fields] = (await answered) as [Record<string, unknown>];
  return { status: Number(fields[':status']), text: Buffer.concat(chunks).toString() };
}

describe('a pod that dies', () => {
  describe.each([
    ['in the middle of it', 400 * 1024],
    ['with all of it', IMAGE.length],
  ])('%s loses an image to another pod', (_when, bytes) => {
    test.each([
      ['HTTP/1.1, declared', () => call(gateway.ports.http, { body: IMAGE, headers: DECLARED })],
      ['HTTP/1.1, chunked', () => call(gateway.ports.http, { body: IMAGE, headers: CHUNKED })],
      ['HTTP/2, declared', () => callHttp2(DECLARED)],
      ['HTTP/2, undeclared', () => callHttp2({})],
    ])('by %s', async (_protocol, send) => {
      const [dead, well] = await serve(PLENTY, dieAfter(bytes), digest);
      expect(await send()).toMatchObject({ status: 200, text: digestOf(IMAGE) });
      expect([dead?.count, well?.count]).toEqual([1, 1]);
      expect(await gateway.metric('pilotlight_gateway_retries_total', { reason: 'died' })).toBe(1);
      await gateway.until(async () => (await heldBytes()) === 0);
    });
  });

  test('in the middle of a call of gRPC loses it to another pod', async () => {
    gateway = await GatewayFixture.start({ holding: PLENTY });
    gateway.random = () => 0;
    const dead = await StubGrpcRuntime.start('dead', (one: GrpcCall, runtime) => {
      one.stream.additionalHeaders({ ':status': 102 });
      let read = 0;
      one.stream.on('data', (chunk: Buffer) => {
        read += chunk.length;
        if (read >= 400 * 1024) runtime.breakConnections();
      });
    });
    const well = await StubGrpcRuntime.start('well', (one, runtime) => {
      begin(one, runtime);
      one.stream.pipe(one.stream);
    });
    closing.push(
      () => dead.close(),
      () => well.close(),
    );
    const routes = [dead, well].map(({ uid, port }) => ({
      name: `pod-${uid}`,
      uid,
      state: 'Ready' as const,
      host: '127.0.0.1',
      ports: { http: 1, grpc: port, control: 1 },
    }));
    await gateway.leader([functionRoute({ revisions: [revisionRoute(routes)] })]);
    const client = new GrpcClient(gateway.ports.http);
    closing.push(() => client.close());
    const { message, error } = await client.call(Buffer.alloc(IMAGE.length, 'x'));
    expect({ error, length: message?.length }).toEqual({ error: undefined, length: IMAGE.length });
    expect([dead.count, well.count]).toEqual([1, 1]);
  });

  test.each([
    ['more than 1 MiB, declared', 1024 * 1024 + 1, PLENTY, {}],
    ['more than 1 MiB, chunked', 1024 * 1024 + 1, PLENTY, CHUNKED],
    ['less, where memory is scarce', IMAGE.length, { ...PLENTY, maxHeldBytes: 700_000 }, DECLARED],
  ])('with a body of %s, has it alone', async (_what, length, holding, headers) => {
    const [, other] = await serve(holding, dieAfter(length), digest);
    const { status, text } = await call(gateway.ports.http, { body: Buffer.alloc(length), headers });
    expect({ status, ...JSON.parse(text) }).toMatchObject({ status: 502, code: 'pod-failed' });
    expect(other?.count).toBe(0);
  });

  test('with a body of 1 MiB, loses it to another pod', async () => {
    const body = randomBytes(1024 * 1024);
    await serve(PLENTY, dieAfter(body.length), digest);
    expect(await call(gateway.ports.http, { body, headers: CHUNKED })).toMatchObject({ text: digestOf(body) });
  });

  test('before its client has sent all leaves what is there in the queue, where it counts, and the rest follows', async () => {
    const half = 400 * 1024;
    const [dead] = await serve(PLENTY, ({ request }, runtime) => {
      let read = 0;
      request.on('data', (chunk: Buffer) => {
        read += chunk.length;
        if (read < half) return;
        runtime.breakConnections();
        void runtime.close();
      });
    });
    const request = open(gateway.ports.http, { method: 'POST', headers: DECLARED });
    const answer = answerTo(request);
    request.write(IMAGE.subarray(0, half));
    await dead?.received.next();
    await gateway.queued(1);
    expect(await gateway.metric('pilotlight_gateway_queued_bytes')).toBe(half);
    request.end(IMAGE.subarray(half));
    await gateway.until(async () => (await gateway.metric('pilotlight_gateway_queued_bytes')) === IMAGE.length);
    await gateway.announce(await gateway.runtime('well', digest));
    expect(await answer).toMatchObject({ status: 200, text: digestOf(IMAGE) });
  });
});

describe('what went to a pod', () => {
  test('counts until the answer begins, though that goes on', async () => {
    let read = 0;
    const [pod] = await serve(PLENTY, ({ request }) => request.on('data', (chunk: Buffer) => (read += chunk.length)));
    const request = open(gateway.ports.http, { method: 'POST', headers: CHUNKED });
    const answer = answerTo(request);
    request.write(IMAGE);
    const received = await pod?.received.next();
    await gateway.until(() => read === IMAGE.length);
    expect(await heldBytes()).toBe(IMAGE.length);
    received?.response.writeHead(200, { 'pilotlight-pod-uid': 'pod0' }).write('begun');
    await once(request, 'response');
    expect(await heldBytes()).toBe(0);
    request.end('more');
    await gateway.until(() => read === IMAGE.length + 4);
    expect(await heldBytes()).toBe(0);
    received?.response.end();
    expect(await answer).toMatchObject({ status: 200, text: 'begun' });
  });

  test('counts no more if more than 1 MiB is to come, for it cannot be sent again', async () => {
    let read = 0;
    await serve(PLENTY, ({ request }) => request.on('data', (chunk: Buffer) => (read += chunk.length)));
    const request = open(gateway.ports.http, { method: 'POST', headers: { 'content-length': '2000000' } });
    request.on('error', () => undefined);
    request.write(IMAGE);
    await gateway.until(() => read === IMAGE.length);
    expect(await heldBytes()).toBe(0);
    request.destroy();
    await gateway.inFlight(0);
  });

  test('counts no more once its client has left', async () => {
    let read = 0;
    await serve(PLENTY, ({ request }) => request.on('data', (chunk: Buffer) => (read += chunk.length)));
    const request = open(gateway.ports.http, { method: 'POST', headers: CHUNKED });
    request.on('error', () => undefined);
    request.write(IMAGE);
    await gateway.until(() => read === IMAGE.length);
    expect(await heldBytes()).toBe(IMAGE.length);
    request.destroy();
    await gateway.until(async () => (await heldBytes()) === 0);
  });

  test('leaves half of the room to requests that are still to come', async () => {
    const maxHeldBytes = 4 * 1024 * 1024;
    let read = 0;
    const swallow: Behaviour = ({ request }) => request.on('data', (chunk: Buffer) => (read += chunk.length));
    const [pod] = await serve({ ...PLENTY, maxHeldBytes }, swallow);
    const stalled: Promise<unknown>[] = [];
    for (let count = 1; count <= 10; count += 1) {
      stalled.push(call(gateway.ports.http, { body: IMAGE }));
      await gateway.until(() => read === count * IMAGE.length);
    }
    const held = await heldBytes();
    expect(held).toBeGreaterThanOrEqual(3 * IMAGE.length);
    // What crossed the half was one read.
    expect(held).toBeLessThanOrEqual(maxHeldBytes / 2 + 64 * 1024);
    if (pod !== undefined) pod.behaviour = digest;
    expect(await call(gateway.ports.http, { body: IMAGE })).toMatchObject({ text: digestOf(IMAGE) });
    pod?.breakConnections();
    await gateway.closeGateway();
    await Promise.allSettled(stalled);
    expect(await heldBytes()).toBe(0);
  });
});
