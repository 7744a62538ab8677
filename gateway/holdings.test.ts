/** What a gateway holds of all functions together. The clock stands still: memory is counted, not measured. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { answerTo, call, open } from './testing/client.ts';
import { functionRoute, GatewayFixture, revisionRoute } from './testing/gateway-fixture.ts';
import { answerOk, stall } from './testing/stub-runtime.ts';

const FUNCTIONS = ['digits', 'faces'].map((name) =>
  functionRoute({ name, revisions: [revisionRoute([], { name: `${name}-00001` })] }),
);
const SECOND = { host: 'faces.default' };

let gateway: GatewayFixture;
afterEach(() => gateway.close());

const heldBytes = (): Promise<number> => gateway.metric('pilotlight_gateway_held_bytes');
async function holds(bytes: number): Promise<void> {
  await gateway.until(async () => (await heldBytes()) === bytes);
}

test('one function’s waiting requests leave no place for another’s, whose callers are told what to do', async () => {
  gateway = await GatewayFixture.start({ holding: { maxQueuedRequests: 2, maxHeldBytes: 1_000 } });
  await gateway.leader(FUNCTIONS);
  const held = [call(gateway.ports.http), call(gateway.ports.http)];
  await gateway.queued(2);
  const { status, headers, text } = await call(gateway.ports.http, SECOND);
  expect({ status, retryAfter: headers['retry-after'] }).toEqual({ status: 503, retryAfter: '1' });
  expect(JSON.parse(text)).toEqual({
    error:
      'This gateway holds 2 requests, of all functions together (maxQueuedRequests); send the request again in a while.',
    code: 'gateway-full',
  });
  expect(await gateway.metric('pilotlight_gateway_errors_total', { code: 'gateway-full', function: 'faces' })).toBe(1);
  await gateway.closeGateway();
  await Promise.all(held);
});

describe('bytes of bodies', () => {
  test('that wait for one function leave no room for another’s, and are free when they are answered', async () => {
    gateway = await GatewayFixture.start({ holding: { maxQueuedRequests: 9, maxHeldBytes: 1_000 } });
    await gateway.leader(FUNCTIONS);
    const runtime = await gateway.runtime('a');
    const held = call(gateway.ports.http, { body: 'x'.repeat(600) });
    await gateway.queued(1);
    const { status, text } = await call(gateway.ports.http, { ...SECOND, body: 'x'.repeat(401) });
    expect(status).toBe(503);
    expect(JSON.parse(text)).toEqual({
      error:
        'This gateway holds 1000 bytes of bodies, of all functions together (maxHeldBytes); send the request again in a while.',
      code: 'gateway-full',
    });
    expect(await heldBytes()).toBe(600);
    await gateway.announce(runtime);
    expect((await held).status).toBe(200);
    await holds(0);
  });

  test('that are declared count before they come, and no more once their client has left', async () => {
    gateway = await GatewayFixture.start({ holding: { maxQueuedRequests: 9, maxHeldBytes: 1_000 } });
    await gateway.leader(FUNCTIONS);
    const slow = open(gateway.ports.http, { body: '', headers: { 'content-length': '700' } });
    slow.on('error', () => undefined);
    slow.write('x');
    await holds(700);
    expect((await call(gateway.ports.http, { ...SECOND, body: 'x'.repeat(301) })).status).toBe(503);
    slow.destroy();
    await holds(0);
  });

  test('of a body without a length count as they come', async () => {
    gateway = await GatewayFixture.start({ holding: { maxQueuedRequests: 9, maxHeldBytes: 1_000 } });
    await gateway.leader(FUNCTIONS);
    const slow = open(gateway.ports.http, { body: '', headers: { 'transfer-encoding': 'chunked' } });
    const answer = answerTo(slow);
    slow.write('x'.repeat(900));
    await holds(900);
    slow.write('x'.repeat(101));
    expect(JSON.parse((await answer).text)).toMatchObject({ code: 'gateway-full' });
    await holds(0);
    slow.destroy();
  });

  test('that a pod has count until it answers, because they could be sent to another one', async () => {
    gateway = await GatewayFixture.start({ holding: { maxQueuedRequests: 9, maxHeldBytes: 1_000 } });
    const runtime = await gateway.runtime('a', stall);
    await gateway.leader([functionRoute({ revisions: [revisionRoute([runtime.route()])] })]);
    const answer = call(gateway.ports.http, { body: 'x'.repeat(600) });
    const received = await runtime.received.next(() => true);
    expect(await heldBytes()).toBe(600);
    answerOk(received, runtime);
    expect((await answer).status).toBe(200);
    await holds(0);
  });

  test('of a large body count as far as it could be sent again', async () => {
    const body = Buffer.alloc(4 * 1024 * 1024);
    gateway = await GatewayFixture.start({ holding: { maxQueuedRequests: 9, maxHeldBytes: 400_000 } });
    const runtime = await gateway.runtime('a', stall);
    await gateway.leader([functionRoute({ revisions: [revisionRoute([runtime.route()])] })]);
    const answer = call(gateway.ports.http, { body });
    const received = await runtime.received.next(() => true);
    await holds(0);
    answerOk(received, runtime);
    expect(JSON.parse((await answer).text)).toMatchObject({ bytes: body.length });
  });

  test('stay within the bound when far more come than there is room for, from many clients of many functions', async () => {
    const most = 2 * 1024 * 1024;
    gateway = await GatewayFixture.start({ holding: { maxQueuedRequests: 50, maxHeldBytes: most } });
    await gateway.leader(FUNCTIONS);
    let highest = 0;
    const watching = setInterval(() => {
      void heldBytes().then((bytes) => {
        highest = Math.max(highest, bytes);
      });
    }, 1);
    const calls = Array.from({ length: 90 }, (_, at) =>
      call(gateway.ports.http, {
        host: `${at % 2 === 0 ? 'digits' : 'faces'}.default`,
        body: Buffer.alloc(at % 3 === 0 ? 1_000_000 : 100_000),
        headers: at % 5 === 0 ? { 'transfer-encoding': 'chunked' } : {},
      }).then(
        ({ status }) => status,
        // A body that is refused while it comes in ends with its connection.
        () => 503,
      ),
    );
    await gateway.until(
      async () => (await gateway.metric('pilotlight_gateway_errors_total', { code: 'gateway-full' })) > 50,
    );
    expect(await heldBytes()).toBeLessThanOrEqual(most);
    clearInterval(watching);
    await gateway.closeGateway();
    expect(new Set(await Promise.all(calls))).toEqual(new Set([503]));
    expect(highest).toBeGreaterThan(0);
    expect(highest).toBeLessThanOrEqual(most);
    expect(await heldBytes()).toBe(0);
  });
});
