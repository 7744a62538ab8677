import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { signToken } from '../common/wire/tokens.ts';
import { announcementOf, functionRoute, GatewayFixture, KEY, revisionRoute } from './testing/gateway-fixture.ts';

const NEXT = { id: 'k2', secret: randomBytes(32).toString('base64url') };

let gateway: GatewayFixture;
beforeEach(async () => {
  gateway = await GatewayFixture.start();
});
afterEach(() => gateway.close());

test('every operator hears which keys the gateway has, whoever sent them', async () => {
  const follower = await gateway.operator('operator-1');
  expect((await follower.demand()).keys).toEqual([]);
  const leader = await gateway.leader([functionRoute()]);
  expect((await leader.demand()).keys).toEqual([]);
  await gateway.clock.advance(1_000);
  expect((await leader.demand()).keys).toEqual(['k1']);
  expect((await follower.demand()).keys).toEqual(['k1']);
  leader.keys([NEXT, KEY]);
  leader.routes(2, [functionRoute()]);
  await gateway.tookEpoch(2);
  await gateway.clock.advance(1_000);
  expect((await follower.demand(({ keys }) => keys?.length === 2)).keys).toEqual(['k2', 'k1']);
});

test('during a rotation pods with a token of either key are accepted, and after it those of the new one', async () => {
  const leader = await gateway.leader([functionRoute({ revisions: [revisionRoute()] })]);
  const [old, next, late] = [await gateway.runtime('a'), await gateway.runtime('b'), await gateway.runtime('c')];
  const byNext = (runtime: typeof next): string => signToken(NEXT, 'announce', announcementOf(runtime));
  expect((await gateway.announce(next, {}, byNext(next))).status).toBe(403);

  leader.keys([NEXT, KEY]);
  leader.change(1, [functionRoute({ name: 'one' })]);
  await gateway.until(async () => (await gateway.announce(next, {}, byNext(next))).status === 204);
  expect((await gateway.announce(old)).status).toBe(204);

  leader.keys([NEXT]);
  await gateway.until(async () => (await gateway.announce(late)).status === 403);
  expect((await gateway.announce(late, {}, byNext(late))).status).toBe(204);
});

test('while one operator has yet to read that a key got another secret, pods of either are accepted', async () => {
  const [old, next] = [await gateway.runtime('a'), await gateway.runtime('b')];
  (await gateway.operator('operator-1')).keys([KEY]);
  await gateway.until(async () => (await gateway.announce(old)).status === 202);
  const leader = await gateway.operator('operator-0');
  const changed = { ...NEXT, id: KEY.id };
  leader.keys([changed]);
  leader.routes(1, [functionRoute({ revisions: [revisionRoute()] })]);
  await gateway.tookEpoch(1);
  expect((await gateway.announce(old)).status).toBe(204);
  expect((await gateway.announce(next, {}, signToken(changed, 'announce', announcementOf(next)))).status).toBe(204);
});
