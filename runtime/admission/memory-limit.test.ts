import { expect, test } from '@jest/globals';
import { measureMemoryLimit, memoryLimit } from './memory-limit.ts';

const MIB = 2 ** 20;

test.each<[about: string, limit: number | undefined, machine: number, used: number, want: number]>([
  ['what a container’s limit leaves', 512 * MIB, 16_384 * MIB, 112 * MIB, 300 * MIB],
  ['what the machine leaves where there is no limit', undefined, 1024 * MIB, 224 * MIB, 600 * MIB],
  ['what the machine leaves where the limit is none', 2 ** 64, 1024 * MIB, 224 * MIB, 600 * MIB],
  ['enough for small requests where nothing is left', 512 * MIB, 16_384 * MIB, 600 * MIB, 8 * MIB],
])('requests may take three quarters of %s', (_about, limit, machine, used, want) => {
  expect(memoryLimit(limit, machine, used)).toBe(want);
});

test('this process has some memory left, and not all of it', () => {
  expect(measureMemoryLimit()).toBeGreaterThan(0);
  expect(measureMemoryLimit()).toBeLessThan(2 ** 50);
});
