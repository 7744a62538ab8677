import { expect, test } from '@jest/globals';
import { nextDoubling, slowStartRoom } from './slow-start.ts';

test.each([
  [0, 0, 32],
  [10, 999, 42],
  [0, 1_000, 64],
  [18, 2_500, 200],
  [0, 4_999, 512],
  [0, 5_000, Infinity],
])('%d answers, %d ms after its first request: room for %d', (answers, age, room) => {
  expect(slowStartRoom(answers, age)).toBe(room);
});

test.each([
  [0, 1_000],
  [1, 999],
  [2_400, 600],
])('at %d ms there is more after %d', (age, milliseconds) => {
  expect(nextDoubling(age)).toBe(milliseconds);
});
