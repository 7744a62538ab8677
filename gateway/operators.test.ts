import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { GATEWAY_DEFAULTS } from './configuration.ts';
import { answerTo, call, open } from './testing/client.ts';
import { CONTROL_TOKEN, functionRoute, GatewayFixture, KEY, revisionRoute } from './testing/gateway-fixture.ts';
import { StubOperator } from './testing/stub-operator.ts';
import { stall } from './testing/stub-runtime.ts';

let gateway: GatewayFixture;
beforeEach(async () => {
  gateway = await GatewayFixture.start();
});
afterEach(() => gateway.close());

/** The gateway's own: heartbeat and expiry. */
const IDLE_TIMERS = 2;

const other = functionRoute({ name: 'other', revisions: [revisionRoute([], { name: 'other-00001' })] });

async function exists(name: string): Promise<boolean> {
  return !(
    await call(gateway.ports.http, { host: `${name}.default`, headers: { upgrade: 'x' }, path: '/' })
  ).text.includes('There is no function');
}

/** A function that answers at once, so that a call tells whether it is routed. */
function failing(name: string): ReturnType<typeof functionRoute> {
  const failure = { reason: 'ModelNotFound', message: 'x' };
  return functionRoute({ name, revisions: [revisionRoute([], { name: `${name}-00001`, failure })] });
}

describe('a stream', () => {
  test('begins with who the gateway is and all that it measured', async () => {
    const operator = new StubOperator(gateway.ports.control, CONTROL_TOKEN);
    expect(await operator.messages.next()).toEqual({
      type: 'hello',
      gateway: 'gateway-0',
      bootId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      highestEpoch: 0,
    });
    expect(await operator.messages.next()).toMatchObject({ type: 'demand', full: true, revisions: [], sequence: 1 });
    operator.cut();
  });

  test('is refused without the control token', async () => {
    const request = open(gateway.ports.control, {
      method: 'POST',
      path: '/v1/stream',
      headers: { authorization: 'Bearer no' },
    });
    request.end();
    expect((await answerTo(request)).status).toBe(401);
  });

  test.each([
    ['a line that is no JSON', (operator: StubOperator) => operator.sendRaw('{\n')],
    ['a message of no known type', (operator: StubOperator) => operator.send({ type: 'x' })],
    ['routes that are wrong', (operator: StubOperator) => operator.send({ type: 'routes', epoch: 0 })],
    ['a gap in the sequence', (operator: StubOperator) => (operator.skipSequence(), operator.routes(1, []))],
    ['changes to routes of another stream', (operator: StubOperator) => operator.change(1, [])],
    ['the end of its other half', (operator: StubOperator) => operator.end()],
  ])('ends with %s', async (_, send) => {
    await gateway.leader([functionRoute()]);
    const operator = await gateway.operator('operator-1');
    send(operator);
    await operator.ended;
    expect(await gateway.metric('pilotlight_gateway_routes_epoch')).toBe(1);
  });

  test('that is cut leaves the routes as they were', async () => {
    const runtime = await gateway.runtime('a');
    const operator = await gateway.leader([functionRoute({ revisions: [revisionRoute([runtime.route()])] })]);
    operator.cut();
    await gateway.until(async () => (await gateway.metric('pilotlight_gateway_operator_streams')) === 0);
    expect((await call(gateway.ports.http)).status).toBe(200);
  });
});

describe('routes', () => {
  test('of a lower epoch are ignored, and their sender hears of the higher one', async () => {
    const former = await gateway.leader([failing('former')], 1);
    const leader = await gateway.operator('operator-1');
    leader.routes(2, [failing('leader')]);
    expect(await former.hello(({ highestEpoch }) => highestEpoch === 2)).toMatchObject({ highestEpoch: 2 });
    former.change(1, [failing('late')]);
    former.routes(1, [failing('late')]);
    former.routes(3, [failing('again')]);
    await gateway.tookEpoch(3);
    expect(await leader.hello()).toMatchObject({ highestEpoch: 3 });
    expect([await exists('former'), await exists('leader'), await exists('late'), await exists('again')]).toEqual([
      false,
      false,
      false,
      true,
    ]);
  });

  test('of a stream that replaces another one of the same leader are taken whole', async () => {
    const operator = await gateway.leader([failing('one')]);
    const again = await gateway.operator();
    again.routes(1, [failing('two')]);
    await gateway.until(() => exists('two'));
    operator.change(1, [failing('late')]);
    await operator.ended;
    expect([await exists('one'), await exists('late')]).toEqual([false, false]);
  });

  test('change one function and leave the others', async () => {
    const operator = await gateway.leader([failing('one'), failing('two')]);
    operator.change(1, [failing('three')], [{ namespace: 'default', name: 'two' }]);
    await gateway.until(() => exists('three'));
    expect([await exists('one'), await exists('two')]).toEqual([true, false]);
  });
});

describe('demand', () => {
  test('is the exact integral of requests over time, queued and in flight, by heartbeats', async () => {
    const runtime = await gateway.runtime('a', stall);
    const operator = await gateway.leader([functionRoute({ concurrencyLimit: 1 }), other]);
    const answers = [call(gateway.ports.http)];
    await gateway.queued(1);
    await gateway.clock.advance(500);
    answers.push(call(gateway.ports.http));
    await gateway.queued(2);
    await gateway.announce(runtime);
    const { response } = await runtime.received.next();
    await gateway.clock.advance(500);
    const first = await operator.demand(({ uptimeSeconds }) => uptimeSeconds === 1);
    expect(first).toMatchObject({
      full: false,
      revisions: [{ revision: 'digits-00001', requestSeconds: 1.5, requests: 2, inFlight: 1, queued: 1 }],
    });
    response.writeHead(200, { 'pilotlight-pod-uid': 'a' }).end();
    await answers[0];
    const last = await runtime.received.next();
    await gateway.queued(0);
    await gateway.clock.advance(1_000);
    const second = await operator.demand(({ uptimeSeconds }) => uptimeSeconds === 2);
    expect(second.revisions).toMatchObject([{ requestSeconds: 2.5, requests: 2, inFlight: 1, queued: 0 }]);
    expect(second.sequence).toBeGreaterThan(first.sequence);
    last.response.writeHead(200, { 'pilotlight-pod-uid': 'a' }).end();
    await answers[1];
    await gateway.inFlight(0);
    await gateway.clock.advance(1_000);
    const third = await operator.demand(({ uptimeSeconds }) => uptimeSeconds === 3);
    expect(third.revisions).toMatchObject([{ requestSeconds: 2.5, inFlight: 0, queued: 0 }]);
    await gateway.clock.advance(1_000);
    expect((await operator.demand(({ uptimeSeconds }) => uptimeSeconds === 4)).revisions).toEqual([]);
  });

  test('goes to every operator, and whole to one that connects later', async () => {
    const leader = await gateway.leader([functionRoute()]);
    const second = await gateway.operator('operator-1');
    const held = call(gateway.ports.http);
    for (const operator of [leader, second]) {
      expect(await operator.demand(({ revisions }) => revisions.length > 0)).toMatchObject({
        revisions: [{ requests: 1, queued: 1 }],
      });
    }
    const later = await gateway.operator('operator-2');
    expect(await later.demand()).toMatchObject({ full: true, revisions: [{ requests: 1, queued: 1 }] });
    await gateway.closeGateway();
    await held;
  });

  test('never goes back when a function is deleted and made anew', async () => {
    const operator = await gateway.leader([failing('digits')]);
    await call(gateway.ports.http);
    operator.routes(2, []);
    await gateway.tookEpoch(2);
    operator.routes(3, [failing('digits')]);
    await gateway.tookEpoch(3);
    await call(gateway.ports.http);
    const later = await gateway.operator('operator-1');
    expect(await later.demand()).toMatchObject({ full: true, revisions: [{ requests: 2 }] });
  });
});

describe('what a gateway knows is', () => {
  const age = async (): Promise<number> =>
    gateway.clock.now() / 1_000 - (await gateway.metric('pilotlight_gateway_routes_confirmed_timestamp_seconds'));
  const logged = (text: string): Record<string, unknown>[] =>
    gateway.log.filter((line) => line.includes(text)).map((line) => JSON.parse(line) as Record<string, unknown>);

  test('of now while a leader is connected, however long nothing changes', async () => {
    await gateway.leader([]);
    const follower = await gateway.operator('operator-1');
    follower.cut();
    await gateway.until(() => logged('Operator disconnected').length > 0);
    await gateway.clock.advance(600_000);
    expect(await age()).toBe(0);
  });

  test('as old as its connection to the last leader, and serves on, though an operator is connected that does not lead', async () => {
    const runtime = await gateway.runtime('a');
    const leader = await gateway.leader([functionRoute({ revisions: [revisionRoute([runtime.route()])] })], 7);
    await gateway.operator('operator-1');
    leader.cut();
    await gateway.until(() => logged('Lost the leader').length > 0);
    await gateway.clock.advance(600_000);
    expect(await age()).toBe(600);
    expect(logged('Lost the leader')).toMatchObject([{ level: 'warn', epoch: 7 }]);
    expect((await call(gateway.ports.http)).status).toBe(200);
    expect((await call(gateway.ports.metrics, { path: '/readyz' })).status).toBe(200);
  });

  test('of now again with the next leader, which is told how long there was none', async () => {
    const leader = await gateway.leader([], 7);
    leader.cut();
    await gateway.until(() => logged('Lost the leader').length > 0);
    await gateway.clock.advance(90_000);
    await gateway.leader([], 8);
    expect(await age()).toBe(0);
    expect(logged('Was without a leader')).toMatchObject([{ level: 'info', seconds: 90 }]);
  });

  test('nothing before the first routes', async () => {
    await gateway.operator();
    expect(await gateway.metric('pilotlight_gateway_routes_confirmed_timestamp_seconds')).toBe(0);
  });
});

describe('readiness', () => {
  async function ready(): Promise<string> {
    const { status, text } = await call(gateway.ports.metrics, { path: '/readyz' });
    return `${status} ${text}`;
  }

  test('waits for the first routes', async () => {
    expect(await ready()).toBe('503 No operator has sent routes yet.\n');
    await gateway.leader([]);
    expect(await ready()).toBe('200 ok\n');
  });

  test('ends first when the gateway ends; it serves on, and finishes what pods have', async () => {
    await gateway.close();
    gateway = await GatewayFixture.start({ drainMilliseconds: 5_000 });
    const runtime = await gateway.runtime('a', stall);
    await gateway.leader([functionRoute({ revisions: [revisionRoute([runtime.route()])] })]);
    const inFlight = call(gateway.ports.http);
    const received = await runtime.received.next();
    const closed = gateway.beginToClose();
    expect(await ready()).toBe('503 This gateway is shutting down.\n');
    const late = call(gateway.ports.http, { path: '/late' });
    const { response } = await runtime.received.next();
    response.writeHead(200, { 'pilotlight-pod-uid': 'a' }).end();
    expect(await late).toMatchObject({ status: 200, headers: { connection: 'close' } });
    await gateway.clock.advance(5_000);
    received.response.writeHead(200, { 'pilotlight-pod-uid': 'a' }).end();
    expect((await inFlight).status).toBe(200);
    await gateway.closeGateway();
    await closed;
  });
});

describe('a gateway that begins', () => {
  test('holds a request until the first routes say where it goes', async () => {
    const early = call(gateway.ports.http, { body: 'x' });
    const unknown = call(gateway.ports.http, { host: 'unknown.default' });
    const operator = await gateway.operator();
    operator.routes(1, [functionRoute({ revisions: [revisionRoute([(await gateway.runtime('a')).route()])] })]);
    expect(await early).toMatchObject({ status: 200, text: expect.stringContaining('"text":"x"') });
    expect((await unknown).status).toBe(404);
  });

  test('answers after a while that it knows no functions yet', async () => {
    const early = call(gateway.ports.http);
    const progress = { isDone: false };
    void early.finally(() => (progress.isDone = true));
    while (!progress.isDone) await gateway.clock.advance(10_000);
    const { status, text, headers } = await early;
    expect(JSON.parse(text)).toMatchObject({ code: 'no-routes' });
    expect({ status, retryAfter: headers['retry-after'] }).toEqual({ status: 503, retryAfter: '1' });
    expect(gateway.clock.pending).toBe(IDLE_TIMERS);
  });

  test('holds no more requests than it has room for, however many come on one connection', async () => {
    const socket = connect(gateway.ports.http, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nhost: digits.default\r\n\r\n'.repeat(10_003));
    const turnedAway = (): Promise<number> => gateway.metric('pilotlight_gateway_errors_total', { code: 'no-routes' });
    await gateway.until(async () => (await turnedAway()) > 0);
    await gateway.until(async () => (await turnedAway()) === 3);
    expect(gateway.clock.pending).toBe(IDLE_TIMERS + 10_000);
    socket.destroy();
    await gateway.until(() => gateway.clock.pending === IDLE_TIMERS);
  });

  test('forgets a request whose client left', async () => {
    const request = open(gateway.ports.http);
    request.on('error', () => undefined);
    request.end();
    await gateway.until(() => gateway.clock.pending > IDLE_TIMERS);
    request.destroy();
    await gateway.until(() => gateway.clock.pending === IDLE_TIMERS);
    const runtime = await gateway.runtime('a');
    await gateway.leader([functionRoute({ revisions: [revisionRoute([runtime.route()])] })]);
    expect((await call(gateway.ports.http)).status).toBe(200);
    expect(runtime.count).toBe(1);
  });
});

describe('a gateway that ends', () => {
  const REQUEST = 'GET / HTTP/1.1\r\nhost: digits.default\r\n\r\n';
  const ANSWER = ['content-length', '2', 'pilotlight-pod-uid', 'a'];

  /** A client that keeps its connection, whose request the pod has; `text` is what it got, `closed` resolves when it has all. */
  async function waiting(): Promise<{
    readonly text: () => string;
    readonly closed: Promise<unknown>;
    readonly response: ServerResponse;
  }> {
    const runtime = await gateway.runtime('a', stall);
    await gateway.leader([functionRoute({ revisions: [revisionRoute([runtime.route()])] })]);
    const socket = connect(gateway.ports.http, '127.0.0.1');
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    const closed = once(socket, 'close');
    socket.write(REQUEST);
    return { text: () => text, closed, response: (await runtime.received.next()).response };
  }

  test('tells a client whose request it had before to keep its connection no longer', async () => {
    const { text, closed, response } = await waiting();
    const ended = gateway.beginToClose();
    response.writeHead(200, ANSWER).end('ok');
    await closed;
    expect(text()).toContain('Connection: close');
    await gateway.closeGateway();
    await ended;
  });

  test('holds on to requests that wait for a pod, and serves them when it comes', async () => {
    await gateway.leader([functionRoute()]);
    const held = call(gateway.ports.http);
    await gateway.queued(1);
    const ended = gateway.beginToClose();
    await gateway.clock.advance(GATEWAY_DEFAULTS.drainMilliseconds + 20_000);
    await gateway.announce(await gateway.runtime('a'));
    expect(await held).toMatchObject({ status: 200, headers: { connection: 'close' } });
    await gateway.closeGateway();
    await ended;
  });

  test('turns away at the last who still waits for a pod, before it cuts the connections', async () => {
    const queue = { maxRequests: 9, maxBytes: 9, timeoutSeconds: 600 };
    await gateway.leader([functionRoute({ queue })]);
    const held = call(gateway.ports.http);
    await gateway.queued(1);
    const ended = gateway.beginToClose();
    await gateway.clock.advance(GATEWAY_DEFAULTS.drainMilliseconds);
    await gateway.clock.advance(GATEWAY_DEFAULTS.finishMilliseconds - 1_000);
    expect(JSON.parse((await held).text)).toMatchObject({ code: 'shutting-down' });
    await gateway.closeGateway();
    await ended;
  });

  test('does not wait for the connection of an answer that had begun before', async () => {
    const { text, closed, response } = await waiting();
    response.writeHead(200, ANSWER).write('o');
    await gateway.until(() => text().endsWith('o'));
    const ended = gateway.beginToClose();
    await gateway.clock.advance(GATEWAY_DEFAULTS.drainMilliseconds);
    response.end('k');
    await gateway.until(() => text().endsWith('ok'));
    await gateway.clock.advance(1_000);
    await closed;
    await ended;
  });
});

test('a key that one operator does not know yet still counts while another one does', async () => {
  await gateway.leader([functionRoute()]);
  const behind = await gateway.operator('operator-1');
  behind.keys([{ ...KEY, id: 'k0' }]);
  behind.routes(2, [functionRoute()]);
  await gateway.tookEpoch(2);
  expect((await gateway.announce(await gateway.runtime('a'))).status).toBe(204);
});

describe('metrics', () => {
  test('count requests by revision and class, and forget revisions that are gone', async () => {
    const runtime = await gateway.runtime('a');
    const operator = await gateway.leader([functionRoute({ revisions: [revisionRoute([runtime.route()])] })]);
    await call(gateway.ports.http);
    const labels = { namespace: 'default', function: 'digits', revision: 'digits-00001' };
    await gateway.until(
      async () => (await gateway.metric('pilotlight_gateway_requests_total', { ...labels, outcome: '2xx' })) === 1,
    );
    const exported = async (): Promise<string> => (await call(gateway.ports.metrics, { path: '/metrics' })).text;
    expect(await exported()).toContain('pilotlight_gateway_request_duration_seconds_count{');
    operator.routes(2, []);
    await gateway.tookEpoch(2);
    expect(await exported()).not.toContain('digits-00001');
  });

  test('of a function that nobody called yet are at zero, so that a rate sees the first call', async () => {
    await gateway.leader([functionRoute()]);
    const { text } = await call(gateway.ports.metrics, { path: '/metrics' });
    const labels = 'namespace="default",function="digits",revision="digits-00001"';
    expect(text.split('\n')).toEqual(
      expect.arrayContaining([
        `pilotlight_gateway_requests_total{${labels},outcome="5xx"} 0`,
        `pilotlight_gateway_errors_total{${labels},code="queue-full"} 0`,
        `pilotlight_gateway_retries_total{${labels},reason="died"} 0`,
        `pilotlight_gateway_cold_start_seconds_count{${labels}} 0`,
      ]),
    );
  });

  test('of a function whose first request fails are at zero for all other codes, also before another one is counted', async () => {
    const failure = { reason: 'ModelNotFound', message: 'There is nothing.' };
    await gateway.leader([functionRoute({ revisions: [revisionRoute([], { failure })] })]);
    const exported = async (): Promise<string[]> =>
      (await call(gateway.ports.metrics, { path: '/metrics' })).text.split('\n').sort();
    const before = await exported();
    expect(await exported()).toEqual(before);
    await call(gateway.ports.http);
    const series = (lines: string[]): string[] =>
      lines
        .filter((line) => /errors_total|retries_total|cold_start/.test(line))
        .map((line) => line.replace(/ \S+$/, ''));
    expect(series(await exported())).toEqual(series(before));
    const labels = { function: 'digits', revision: 'digits-00001' };
    expect(await gateway.metric('pilotlight_gateway_errors_total', { ...labels, code: 'revision-failed' })).toBe(1);
  });

  test('name the function whose queue was full, and none for a host that is no function', async () => {
    await gateway.leader([functionRoute({ queue: { maxRequests: 1, maxBytes: 1_000, timeoutSeconds: 5 } })]);
    const held = call(gateway.ports.http);
    await gateway.queued(1);
    await call(gateway.ports.http);
    await call(gateway.ports.http, { headers: { host: 'nobody.default' } });
    const errors = (labels: Record<string, string>): Promise<number> =>
      gateway.metric('pilotlight_gateway_errors_total', labels);
    expect(await errors({ code: 'queue-full', namespace: 'default', function: 'digits' })).toBe(1);
    const { text } = await call(gateway.ports.metrics, { path: '/metrics' });
    expect(text).toContain('pilotlight_gateway_errors_total{code="unknown-function"} 1\n');
    // Nobody has the request then.
    expect(text).not.toMatch(/errors_total\{namespace=.*code="no-routes"/);
    await gateway.clock.advance(5_000);
    expect((await held).status).toBe(503);
    expect(await errors({ code: 'no-pod-in-time', revision: 'digits-00001' })).toBe(1);
  });

  test('reach 300 s for cold starts', async () => {
    await gateway.leader([functionRoute({ queue: { maxRequests: 9, maxBytes: 9, timeoutSeconds: 600 } })]);
    const held = call(gateway.ports.http);
    await gateway.queued(1);
    await gateway.clock.advance(299_000);
    await gateway.announce(await gateway.runtime('a'));
    await held;
    const buckets = async (): Promise<string> => (await call(gateway.ports.metrics, { path: '/metrics' })).text;
    await gateway.until(async () => /cold_start_seconds_count\{.*\} 1\n/.test(await buckets()));
    expect(await buckets()).toMatch(
      /cold_start_seconds_bucket\{le="240",.*\} 0\n.*cold_start_seconds_bucket\{le="300",.*\} 1\n/,
    );
  });
});

test('a revision that is gone is exported no more, also if a request that its pod has ends later', async () => {
  const runtime = await gateway.runtime('a', stall);
  const operator = await gateway.leader([functionRoute({ revisions: [revisionRoute([runtime.route()])] })]);
  const answer = call(gateway.ports.http);
  const { response } = await runtime.received.next();
  operator.change(1, [], [{ namespace: 'default', name: 'digits' }]);
  await gateway.until(async () => !(await exported()).includes('digits-00001'));
  response.writeHead(200, { 'pilotlight-pod-uid': 'a' }).end();
  expect((await answer).status).toBe(200);
  await gateway.clock.advance(1_000);
  await operator.demand(({ revisions }) => revisions.some(({ inFlight, queued }) => inFlight + queued === 0));
  expect(await exported()).not.toContain('digits-00001');

  async function exported(): Promise<string> {
    return gateway.registry.metrics();
  }
});
