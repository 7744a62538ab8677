import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { signToken } from '../common/wire/tokens.ts';
import { answerTo, call, open } from './testing/client.ts';
import { announcementOf, functionRoute, GatewayFixture, KEY, revisionRoute } from './testing/gateway-fixture.ts';
import { answerOk, refuse, stall } from './testing/stub-runtime.ts';

let gateway: GatewayFixture;
beforeEach(async () => {
  gateway = await GatewayFixture.start();
});
afterEach(() => gateway.close());

describe('a request at zero', () => {
  test('wakes the operator at once, waits, and is answered by the pod that announces itself', async () => {
    const operator = await gateway.leader([functionRoute()]);
    const runtime = await gateway.runtime('a');
    const answer = call(gateway.ports.http, { path: '/v2/models/digits/infer', body: '{"inputs":[]}' });
    const woken = await operator.demand(({ revisions }) => revisions.length > 0);
    expect(woken.revisions).toEqual([
      { namespace: 'default', revision: 'digits-00001', requestSeconds: 0, requests: 1, inFlight: 0, queued: 1 },
    ]);
    await gateway.queued(1);
    await gateway.clock.advance(800);
    expect((await gateway.announce(runtime, { phases: { fetch: 310 } })).status).toBe(204);
    const { status, headers, text } = await answer;
    expect(status).toBe(200);
    expect(headers['pilotlight-cold-start']).toBe('800');
    expect(headers['pilotlight-revision']).toBe('digits-00001');
    expect(headers['server-timing']).toBe('queue;dur=800, start-fetch;dur=310, pod;dur=0');
    expect(headers['pilotlight-pod-uid']).toBeUndefined();
    expect(JSON.parse(text)).toMatchObject({ method: 'POST', url: '/v2/models/digits/infer', text: '{"inputs":[]}' });
    const relayed = await operator.demand(({ announcements }) => announcements.length > 0);
    expect(relayed.announcements).toEqual([announcementOf(runtime, { phases: { fetch: 310 } })]);
  });

  test('that the only pod refuses wakes the operator at once, too', async () => {
    const leaving = await gateway.runtime('a', refuse('Draining'));
    const operator = await gateway.leader([functionRoute({ revisions: [revisionRoute([leaving.route()])] })]);
    const answer = call(gateway.ports.http);
    expect(await operator.demand(({ revisions }) => revisions.length > 0)).toMatchObject({
      uptimeSeconds: 0,
      revisions: [{ requests: 1, inFlight: 0, queued: 1 }],
    });
    await gateway.announce(await gateway.runtime('b'));
    expect((await answer).status).toBe(200);
  });

  test('is answered when routes bring the pod instead', async () => {
    const operator = await gateway.leader([functionRoute()]);
    const runtime = await gateway.runtime('a');
    const answer = call(gateway.ports.http);
    await gateway.queued(1);
    operator.change(1, [functionRoute({ revisions: [revisionRoute([runtime.route()])] })]);
    expect((await answer).status).toBe(200);
  });

  test('gets 503 when no pod comes within the queue timeout, and its place is free', async () => {
    await gateway.leader([functionRoute({ queue: { maxRequests: 1, maxBytes: 1_000, timeoutSeconds: 5 } })]);
    const answer = call(gateway.ports.http);
    await gateway.queued(1);
    await gateway.clock.advance(5_000);
    const { status, headers, text } = await answer;
    expect({ status, retryAfter: headers['retry-after'] }).toEqual({ status: 503, retryAfter: '1' });
    expect(JSON.parse(text)).toEqual({
      error: 'No pod of digits could take the request within 5 s (queue.timeoutSeconds).',
      code: 'no-pod-in-time',
    });
    await gateway.queued(0);
  });

  test('that gets 503 is asked to come back when the pod that it waited for should be there', async () => {
    const queue = { maxRequests: 1, maxBytes: 1_000, timeoutSeconds: 25 };
    await gateway.leader([functionRoute({ queue, revisions: [revisionRoute([], { startSeconds: 39.6 })] })]);
    const answer = call(gateway.ports.http);
    await gateway.queued(1);
    await gateway.clock.advance(10_000);
    expect((await call(gateway.ports.http)).headers['retry-after']).toBe('30');
    await gateway.clock.advance(15_000);
    expect((await answer).headers['retry-after']).toBe('15');
  });

  test('gets 503 with the reason at once when the revision cannot start', async () => {
    const failure = { reason: 'ModelNotFound', message: 'There is nothing at s3://models/digits.' };
    await gateway.leader([functionRoute({ revisions: [revisionRoute([], { failure })] })]);
    const { status, headers, text } = await call(gateway.ports.http, { body: 'x'.repeat(10) });
    expect({ status, retryAfter: headers['retry-after'] }).toEqual({ status: 503, retryAfter: '1' });
    expect(JSON.parse(text)).toEqual({
      error: 'Revision digits-00001 cannot start: ModelNotFound: There is nothing at s3://models/digits.',
      code: 'revision-failed',
    });
  });

  test('gets 503 with the reason when the revision fails while it waits', async () => {
    const operator = await gateway.leader([functionRoute()]);
    const answer = call(gateway.ports.http);
    await gateway.queued(1);
    const failure = { reason: 'ModelDigestMismatch', message: 'sha256 differs.' };
    operator.change(1, [functionRoute({ revisions: [revisionRoute([], { failure })] })]);
    expect(JSON.parse((await answer).text)).toMatchObject({ code: 'revision-failed' });
  });

  test('does not carry pilotlight-cold-start when it did not wait', async () => {
    const runtime = await gateway.runtime('a');
    await gateway.leader([functionRoute({ revisions: [revisionRoute([runtime.route()])] })]);
    const { headers } = await call(gateway.ports.http);
    expect(headers).not.toHaveProperty('pilotlight-cold-start');
    expect(headers['server-timing']).toBe('pod;dur=0');
  });

  test('waits for a pod of the next revision when its own is deleted', async () => {
    const operator = await gateway.leader([functionRoute()]);
    const runtime = await gateway.runtime('b');
    const answer = call(gateway.ports.http);
    await gateway.queued(1);
    operator.change(1, [functionRoute({ revisions: [revisionRoute([], { name: 'digits-00002' })] })]);
    await gateway.until(
      async () => (await gateway.metric('pilotlight_gateway_requests_queued', { revision: 'digits-00002' })) === 1,
    );
    await gateway.announce(runtime, { revision: 'digits-00002' });
    expect((await answer).headers['pilotlight-revision']).toBe('digits-00002');
  });

  test('gets 404 when its function is deleted', async () => {
    const operator = await gateway.leader([functionRoute()]);
    const answer = call(gateway.ports.http);
    await gateway.queued(1);
    operator.change(1, [], [{ namespace: 'default', name: 'digits' }]);
    expect(JSON.parse((await answer).text)).toEqual({
      error: 'Function digits was deleted while the request waited.',
      code: 'unknown-function',
    });
  });
});

describe('the queue', () => {
  test('turns away with 429 what is more requests than it may hold', async () => {
    await gateway.leader([functionRoute({ queue: { maxRequests: 2, maxBytes: 1_000, timeoutSeconds: 60 } })]);
    const held = [call(gateway.ports.http), call(gateway.ports.http)];
    await gateway.queued(2);
    const { status, headers, text } = await call(gateway.ports.http);
    expect({ status, retryAfter: headers['retry-after'] }).toEqual({ status: 429, retryAfter: '1' });
    expect(JSON.parse(text)).toEqual({ error: '2 requests wait for digits (queue.maxRequests).', code: 'queue-full' });
    await gateway.closeGateway();
    expect((await Promise.all(held)).map(({ status: one }) => one)).toEqual([503, 503]);
  });

  test.each([
    ['a declared length', {}],
    ['a chunked body', { 'transfer-encoding': 'chunked' }],
  ])('turns away with 429 what is more bytes than it may hold, by %s', async (_, headers) => {
    await gateway.leader([functionRoute({ queue: { maxRequests: 9, maxBytes: 1_000, timeoutSeconds: 60 } })]);
    const held = call(gateway.ports.http, { body: 'x'.repeat(600) });
    await gateway.queued(1);
    const { status, text } = await call(gateway.ports.http, { body: 'x'.repeat(600), headers });
    expect(status).toBe(429);
    expect(JSON.parse(text)).toMatchObject({ error: 'No more than 1000 bytes may wait for digits (queue.maxBytes).' });
    await gateway.closeGateway();
    expect((await held).status).toBe(503);
  });

  test('frees the place of a client that leaves at once', async () => {
    const operator = await gateway.leader([
      functionRoute({ queue: { maxRequests: 1, maxBytes: 1_000, timeoutSeconds: 60 } }),
    ]);
    const leaving = open(gateway.ports.http);
    leaving.on('error', () => undefined);
    leaving.end();
    await gateway.queued(1);
    leaving.destroy();
    await gateway.queued(0);
    const staying = call(gateway.ports.http);
    await gateway.queued(1);
    await gateway.clock.advance(1_000);
    const { revisions } = await operator.demand(({ revisions: [one] }) => one?.requests === 2);
    expect(revisions).toMatchObject([{ requests: 2, queued: 1 }]);
    expect(await gateway.metric('pilotlight_gateway_requests_total', { outcome: 'aborted' })).toBe(1);
    await gateway.announce(await gateway.runtime('a'));
    expect((await staying).status).toBe(200);
  });

  test('frees the place of a client that leaves at once, also while its large body waits', async () => {
    await gateway.leader([functionRoute()]);
    const body = Buffer.alloc(4 * 1024 * 1024);
    const leaving = open(gateway.ports.http, {
      method: 'POST',
      headers: { 'content-length': String(body.length + 1) },
    });
    leaving.on('error', () => undefined);
    leaving.write(body);
    await gateway.queued(1);
    leaving.destroy();
    await gateway.queued(0);
    expect(await gateway.metric('pilotlight_gateway_queued_bytes')).toBe(0);
  });

  test('keeps a large body in its order while it waits, with no more of it than half of maxBytes', async () => {
    const maxBytes = 2 * 1024 * 1024;
    await gateway.leader([functionRoute({ queue: { maxRequests: 9, maxBytes, timeoutSeconds: 60 } })]);
    const body = Buffer.from(Uint32Array.from({ length: 1024 * 1024 }, (_, index) => index).buffer);
    const answer = call(gateway.ports.http, { method: 'POST', body });
    await gateway.until(async () => (await gateway.metric('pilotlight_gateway_queued_bytes')) >= maxBytes / 2);
    expect(await gateway.metric('pilotlight_gateway_queued_bytes')).toBeLessThan(maxBytes / 2 + 128 * 1024);
    const hash = createHash('sha256');
    const runtime = await gateway.runtime('a', ({ request, response }, { uid }) => {
      request.on('data', (chunk: Buffer) => hash.update(chunk));
      request.on('end', () => response.writeHead(200, { 'pilotlight-pod-uid': uid }).end());
    });
    await gateway.announce(runtime);
    expect((await answer).status).toBe(200);
    expect(hash.digest('hex')).toBe(createHash('sha256').update(body).digest('hex'));
  });

  test('lets no more requests to a new pod than its limit, and the rest in order as slots free', async () => {
    await gateway.leader([functionRoute({ concurrencyLimit: 2 })]);
    const runtime = await gateway.runtime('a', stall);
    const answers: Promise<unknown>[] = [];
    for (let number = 0; number < 5; number += 1) {
      answers.push(call(gateway.ports.http, { path: `/${number}` }));
      await gateway.queued(number + 1);
    }
    await gateway.announce(runtime);
    const urls: (string | undefined)[] = [];
    for (let number = 0; number < 5; number += 1) {
      const { request, response } = await runtime.received.next();
      urls.push(request.url);
      expect(runtime.count).toBeLessThanOrEqual(number + 2);
      if (number > 0) response.writeHead(200, { 'pilotlight-pod-uid': 'a' }).end();
    }
    // The first one was left without an answer, so that at least one slot is taken all the time.
    expect(urls).toEqual(['/0', '/1', '/2', '/3', '/4']);
    await gateway.closeGateway();
    await Promise.allSettled(answers);
  });

  test('does not let a newcomer pass those who wait', async () => {
    const runtime = await gateway.runtime('a', stall);
    await gateway.leader([functionRoute({ concurrencyLimit: 1, revisions: [revisionRoute([runtime.route()])] })]);
    const first = call(gateway.ports.http, { path: '/first' });
    const { response } = await runtime.received.next();
    const second = call(gateway.ports.http, { path: '/second' });
    await gateway.queued(1);
    const third = call(gateway.ports.http, { path: '/third' });
    await gateway.queued(2);
    response.writeHead(200, { 'pilotlight-pod-uid': 'a' }).end();
    const next = await runtime.received.next();
    expect(next.request.url).toBe('/second');
    next.response.writeHead(200, { 'pilotlight-pod-uid': 'a' }).end();
    (await runtime.received.next()).response.writeHead(200, { 'pilotlight-pod-uid': 'a' }).end();
    expect((await Promise.all([first, second, third])).map(({ status }) => status)).toEqual([200, 200, 200]);
  });
});

describe('a pod that is one too many', () => {
  test('gets no request while another has room, so that it is idle and can go', async () => {
    const runtimes = [await gateway.runtime('a'), await gateway.runtime('b')];
    const [stays, spare] = runtimes.map((one) => one.route());
    await gateway.leader([functionRoute({ revisions: [revisionRoute([stays!, { ...spare!, spare: true }])] })]);
    for (let number = 0; number < 10; number += 1) await call(gateway.ports.http, { path: '/' });
    expect(runtimes.map(({ count }) => count)).toEqual([10, 0]);
  });

  test('gets those that the others have no room for, and all of them again once it is wanted', async () => {
    const runtimes = [await gateway.runtime('a', stall), await gateway.runtime('b', stall)];
    const [stays, spare] = runtimes.map((one) => one.route());
    const operator = await gateway.leader([
      functionRoute({ concurrencyLimit: 1, revisions: [revisionRoute([stays!, { ...spare!, spare: true }])] }),
    ]);
    const calls = [call(gateway.ports.http, { path: '/' }), call(gateway.ports.http, { path: '/' })];
    for (const runtime of runtimes) await runtime.received.next();
    operator.routes(2, [functionRoute({ revisions: [revisionRoute([{ ...stays!, spare: true }, spare!])] })]);
    await gateway.tookEpoch(2);
    calls.push(call(gateway.ports.http, { path: '/' }));
    await runtimes[1]?.received.next();
    expect(runtimes.map(({ count }) => count)).toEqual([1, 2]);
    await gateway.closeGateway();
    await Promise.allSettled(calls);
  });
});

describe('announcements', () => {
  test.each([
    ['without a token', undefined, 401],
    ['with a forged token', 'k1.AAAA', 403],
    [
      'with the token of another pod',
      signToken(KEY, 'announce', { namespace: 'default', revision: 'digits-00001', pod: 'pod-b' }),
      403,
    ],
    [
      'with a token for draining',
      signToken(KEY, 'drain', { namespace: 'default', revision: 'digits-00001', pod: 'pod-a' }),
      403,
    ],
    [
      'of a key that is no longer in use',
      signToken({ ...KEY, id: 'k0' }, 'announce', { namespace: 'default', revision: 'digits-00001', pod: 'pod-a' }),
      403,
    ],
  ])('%s are refused', async (_, token, status) => {
    await gateway.leader([functionRoute()]);
    const runtime = await gateway.runtime('a');
    const answer =
      token === undefined
        ? await call(gateway.ports.control, { path: '/v1/announcements', body: '{}' })
        : await gateway.announce(runtime, {}, token);
    expect(answer.status).toBe(status);
    const held = call(gateway.ports.http);
    await gateway.queued(1);
    expect(runtime.count).toBe(0);
    await gateway.closeGateway();
    expect((await held).status).toBe(503);
  });

  test('before any operator connected ask the pod to try again', async () => {
    const runtime = await gateway.runtime('a');
    expect((await gateway.announce(runtime)).status).toBe(503);
  });

  test.each([
    ['{', 'The body is not JSON.'],
    ['{}', 'namespace must be'],
    [
      JSON.stringify({
        namespace: 'default',
        revision: 'r',
        pod: 'p',
        uid: 'u',
        host: 'a/b',
        ports: { http: 1, control: 1 },
      }),
      'host must be',
    ],
    [
      JSON.stringify({
        namespace: 'default',
        revision: 'r',
        pod: 'p',
        uid: 'u',
        host: 'a',
        ports: { http: 65536, control: 1 },
      }),
      'ports.http must be an integer from 1 to 65535.',
    ],
    ['x'.repeat(70_000), 'An announcement has at most 65536 bytes.'],
  ])('that are wrong are refused with what is wrong', async (body, message) => {
    await gateway.leader([functionRoute()]);
    const answer = await call(gateway.ports.control, {
      path: '/v1/announcements',
      headers: { authorization: 'Bearer x' },
      body,
    });
    expect({ status: answer.status, text: answer.text }).toEqual({
      status: 400,
      text: expect.stringContaining(message),
    });
  });

  test('for a revision that routes do not know yet are kept for it', async () => {
    const operator = await gateway.leader([]);
    const runtime = await gateway.runtime('a');
    expect((await gateway.announce(runtime)).status).toBe(202);
    expect((await operator.demand(({ announcements }) => announcements.length > 0)).announcements).toHaveLength(1);
    operator.routes(2, [functionRoute()]);
    await gateway.tookEpoch(2);
    expect((await call(gateway.ports.http)).status).toBe(200);
  });

  test('for a revision that routes do not know are forgotten after a minute', async () => {
    const operator = await gateway.leader([]);
    const runtime = await gateway.runtime('a');
    await gateway.announce(runtime);
    await gateway.clock.advance(60_000);
    operator.routes(2, [functionRoute()]);
    await gateway.tookEpoch(2);
    const held = call(gateway.ports.http);
    await gateway.queued(1);
    await gateway.closeGateway();
    expect((await held).status).toBe(503);
  });

  test('count for 30 s without routes that list the pod, and not again for 10 minutes', async () => {
    await gateway.leader([functionRoute()]);
    const runtime = await gateway.runtime('a');
    await gateway.announce(runtime);
    await gateway.clock.advance(29_000);
    expect((await call(gateway.ports.http)).status).toBe(200);
    await gateway.clock.advance(1_000);
    expect((await gateway.announce(runtime)).status).toBe(410);
    await gateway.clock.advance(10 * 60_000);
    expect((await gateway.announce(runtime)).status).toBe(204);
  });

  test('count for as long as no leader streams', async () => {
    const operator = await gateway.leader([functionRoute()]);
    const runtime = await gateway.runtime('a');
    await gateway.announce(runtime);
    operator.cut();
    await gateway.until(async () => (await gateway.metric('pilotlight_gateway_operator_streams')) === 0);
    await gateway.clock.advance(3_600_000);
    expect((await call(gateway.ports.http)).status).toBe(200);
  });

  test('of a pod that routes listed and dropped are not believed', async () => {
    const runtime = await gateway.runtime('a');
    const operator = await gateway.leader([functionRoute({ revisions: [revisionRoute([runtime.route()])] })]);
    operator.routes(2, [functionRoute()]);
    await gateway.tookEpoch(2);
    expect((await gateway.announce(runtime)).status).toBe(410);
  });

  test('of a pod that is terminating are not believed', async () => {
    const runtime = await gateway.runtime('a');
    await gateway.leader([functionRoute({ revisions: [revisionRoute([runtime.route('Terminating')])] })]);
    expect((await gateway.announce(runtime)).status).toBe(410);
  });

  test('renew a pod that was set aside', async () => {
    await gateway.leader([functionRoute()]);
    const runtime = await gateway.runtime('a', refuse('WrongPod', 'somebody-else'));
    await gateway.announce(runtime);
    const held = call(gateway.ports.http);
    await runtime.received.next();
    await gateway.queued(1);
    const moved = await gateway.runtime('a');
    await gateway.announce(runtime, { ports: moved.ports });
    expect((await held).status).toBe(200);
    expect(moved.count).toBe(1);
  });

  test('of an address that only the gateway’s own machine may have are refused to others', async () => {
    await gateway.leader([functionRoute()]);
    const runtime = await gateway.runtime('a');
    for (const host of ['169.254.169.254', '0.0.0.0', 'localhost']) {
      expect((await gateway.announce(runtime, { host })).status).toBe(403);
    }
    expect((await gateway.announce(runtime, { host: '1.2.3.999' })).status).toBe(400);
    expect((await gateway.announce(runtime)).status).toBe(204);
  });

  test('of one pod are for one uid at a time, so that a stolen token buys no more than one pod', async () => {
    await gateway.leader([functionRoute()]);
    const gone = await gateway.runtime('gone');
    await gone.close();
    for (let uid = 0; uid < 20; uid += 1) {
      expect((await gateway.announce(gone, { pod: 'pod-a', uid: `u${uid}` })).status).toBe(204);
    }
    const later = await gateway.operator('operator-1');
    expect((await later.demand()).announcements.map(({ uid }) => uid)).toEqual(['u19']);
    const runtime = await gateway.runtime('a');
    await gateway.announce(runtime);
    expect((await call(gateway.ports.http)).status).toBe(200);
  });

  test('of one pod for the uid of another are refused', async () => {
    const runtime = await gateway.runtime('a');
    await gateway.leader([functionRoute({ revisions: [revisionRoute([runtime.route()])] })]);
    const thief = await gateway.runtime('b');
    expect((await gateway.announce(thief, { uid: 'a' })).status).toBe(403);
    expect(JSON.parse((await call(gateway.ports.http)).text)).toMatchObject({ pod: 'a' });
    expect(thief.count).toBe(0);
  });

  test('of a name that another pod still has in routes wait for its end', async () => {
    const runtime = await gateway.runtime('a');
    const operator = await gateway.leader([functionRoute({ revisions: [revisionRoute([runtime.route()])] })]);
    const next = await gateway.runtime('next');
    expect((await gateway.announce(next, { pod: 'pod-a' })).status).toBe(503);
    await call(gateway.ports.http);
    await call(gateway.ports.http);
    expect(next.count).toBe(0);
    operator.routes(2, [functionRoute({ revisions: [revisionRoute([runtime.route('Terminating')])] })]);
    await gateway.tookEpoch(2);
    expect((await gateway.announce(next, { pod: 'pod-a' })).status).toBe(204);
  });

  test('from another host than routes list are refused', async () => {
    const runtime = await gateway.runtime('a');
    await gateway.leader([functionRoute({ revisions: [revisionRoute([runtime.route()])] })]);
    expect((await gateway.announce(runtime, { host: '127.0.0.2' })).status).toBe(403);
    expect((await gateway.announce(runtime)).status).toBe(204);
  });

  test('of a pod that then refuses have it asked by one request at a time until it takes one', async () => {
    await gateway.leader([functionRoute()]);
    const runtime = await gateway.runtime('a', refuse('LimitReached'));
    const held = Array.from({ length: 20 }, () => call(gateway.ports.http));
    await gateway.queued(20);
    await gateway.announce(runtime);
    await gateway.until(() => runtime.count === 20);
    await gateway.queued(20);
    for (let asked = 21; asked <= 23; asked += 1) {
      await gateway.clock.advance(160);
      await gateway.until(() => runtime.count >= asked);
      await gateway.queued(20);
      expect(runtime.count).toBe(asked);
    }
    runtime.behaviour = answerOk;
    await gateway.clock.advance(160);
    for (const answer of held) expect((await answer).status).toBe(200);
    expect(runtime.count).toBe(43);
  });

  test('are told whole to an operator that connects later', async () => {
    await gateway.leader([functionRoute()]);
    const runtime = await gateway.runtime('a');
    await gateway.announce(runtime);
    const later = await gateway.operator('operator-1');
    const full = await later.demand();
    expect(full).toMatchObject({ full: true, announcements: [announcementOf(runtime)] });
  });
});

test('a request that a pod takes is told with the heartbeat: of many functions that are called now and then each would be a record', async () => {
  const runtime = await gateway.runtime('a');
  const operator = await gateway.leader([functionRoute({ revisions: [revisionRoute([runtime.route()])] })]);
  expect((await call(gateway.ports.http)).status).toBe(200);
  await gateway.clock.advance(1_000);
  expect(await operator.demand(({ revisions }) => revisions.length > 0)).toMatchObject({
    uptimeSeconds: 1,
    revisions: [{ requests: 1, inFlight: 0, queued: 0 }],
  });
});

test('a client that leaves while its body comes in is forgotten', async () => {
  const operator = await gateway.leader([functionRoute()]);
  const request = open(gateway.ports.http, { method: 'POST', headers: { 'content-length': '100' } });
  const answer = answerTo(request);
  request.write('half');
  await operator.demand(({ revisions }) => revisions[0]?.requests === 1);
  request.destroy();
  await expect(answer).rejects.toThrow();
  await gateway.until(
    async () => (await gateway.metric('pilotlight_gateway_requests_total', { outcome: 'aborted' })) === 1,
  );
});
