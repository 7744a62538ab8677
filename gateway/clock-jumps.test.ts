/** Somebody sets the wall clock of a gateway's node by an hour. What it waits for and measures are durations, so that nothing may come of it. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { DemandRecord } from '../common/wire/demand.ts';
import { call } from './testing/client.ts';
import { functionRoute, GatewayFixture, revisionRoute } from './testing/gateway-fixture.ts';
import { answerOk, stall } from './testing/stub-runtime.ts';

let gateway: GatewayFixture;
beforeEach(async () => {
  gateway = await GatewayFixture.start();
});
afterEach(() => gateway.close());

const HOUR = 3_600_000;

describe.each([
  ['forward', HOUR],
  ['back', -HOUR],
])('a wall clock that is set %s by an hour', (_direction, jump) => {
  test('ends no wait for a pod, and stretches none', async () => {
    await gateway.leader([functionRoute()]);
    const [late, served] = [call(gateway.ports.http), call(gateway.ports.http)];
    await gateway.queued(2);
    gateway.clock.jump(jump);
    await gateway.clock.advance(59_000);
    await gateway.queued(2);
    await gateway.announce(await gateway.runtime('a', answerOk));
    expect((await served).headers['pilotlight-cold-start']).toBe('59000');
    expect((await late).headers['server-timing']).toMatch(/^queue;dur=59000,/);
    await gateway.until(async () => (await gateway.metric('pilotlight_gateway_cold_start_seconds')) > 0);
  });

  test('does not cut a request short that a pod works on, and does not let it go on', async () => {
    const pod = await gateway.runtime('a', stall);
    await gateway.leader([functionRoute({ revisions: [revisionRoute([pod.route()])] })]);
    const [quick, slow] = [call(gateway.ports.http, { path: '/quick' }), call(gateway.ports.http, { path: '/slow' })];
    const first = await pod.received.next(({ request }) => request.url === '/quick');
    await gateway.inFlight(2);
    gateway.clock.jump(jump);
    await gateway.clock.advance(59_000);
    answerOk(first, pod);
    expect((await quick).status).toBe(200);
    await gateway.clock.advance(3_000);
    expect((await slow).status).toBe(504);
  });

  test('is not demand', async () => {
    const pod = await gateway.runtime('a', stall);
    const operator = await gateway.leader([functionRoute({ revisions: [revisionRoute([pod.route()])] })]);
    const answer = call(gateway.ports.http);
    const received = await pod.received.next();
    const total = (record: DemandRecord): number => record.revisions[0]?.requestSeconds ?? Number.NaN;
    const measured = (seconds: number): Promise<DemandRecord> =>
      operator.demand(({ uptimeSeconds, revisions }) => uptimeSeconds === seconds && revisions.length > 0);
    await gateway.clock.advance(5_000);
    const before = await measured(5);
    gateway.clock.jump(jump);
    await gateway.clock.advance(5_000);
    expect(total(await measured(10)) - total(before)).toBe(5);
    answerOk(received, pod);
    await answer;
  });

  test('leaves a pod that hangs alone for as long as otherwise', async () => {
    const [hung, well] = [await gateway.runtime('hung', stall), await gateway.runtime('well')];
    await gateway.leader([functionRoute({ revisions: [revisionRoute([hung.route(), well.route()])] })]);
    gateway.random = () => 0;
    const first = call(gateway.ports.http);
    await hung.received.next();
    await gateway.clock.advance(62_000);
    expect((await first).status).toBe(504);
    gateway.clock.jump(jump);
    expect((await call(gateway.ports.http)).status).toBe(200);
    expect(hung.count).toBe(1);
    await gateway.clock.advance(5_000);
    hung.behaviour = answerOk;
    expect((await call(gateway.ports.http)).status).toBe(200);
    expect(hung.count).toBe(2);
  });

  test('neither bars a pod nor lets one in again', async () => {
    const operator = await gateway.leader([functionRoute()]);
    const [fresh, gone] = [await gateway.runtime('fresh'), await gateway.runtime('gone')];
    operator.routes(2, [functionRoute({ revisions: [revisionRoute([gone.route()])] })]);
    await gateway.tookEpoch(2);
    operator.routes(3, [functionRoute()]);
    await gateway.tookEpoch(3);
    gateway.clock.jump(jump);
    expect((await gateway.announce(gone)).status).toBe(410);
    expect((await gateway.announce(fresh)).status).toBe(204);
    expect((await call(gateway.ports.http)).status).toBe(200);
  });
});
