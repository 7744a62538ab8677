import { expect, test } from '@jest/globals';
import { Holdings } from './holdings.ts';

test('bytes are taken up to the bound and no further, and what was not taken counts for nothing', () => {
  const holdings = new Holdings({ maxQueuedRequests: 0, maxHeldBytes: 100 });
  expect([holdings.take(60), holdings.take(41), holdings.take(40), holdings.take(1)]).toEqual([
    true,
    false,
    true,
    false,
  ]);
  holdings.give(60);
  expect(holdings.bytes).toBe(40);
  expect(holdings.take(60)).toBe(true);
});

test('requests that wait in all queues are counted together', () => {
  const holdings = new Holdings({ maxQueuedRequests: 2, maxHeldBytes: 0 });
  holdings.queued = 1;
  expect(holdings.isFull).toBe(false);
  holdings.queued = 2;
  expect(holdings.isFull).toBe(true);
});
