/**
 * What a request leaves behind for the garbage collector. The frequent, cheap collections should find nothing of the requests that have ended: what they
 * keep goes to old space, which only a full collection empties.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';

const PROGRAM = join(import.meta.dirname, 'fixtures', 'kept-bytes.ts');

test.each([
  ['one after the other', '1', 'batched', 80],
  ['many at once, in batches', '16', 'batched', 400],
  ['many at once, each alone', '16', 'alone', 400],
])('requests %s leave nothing in old space', async (_, atOnce, form, mostBytes) => {
  const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM, atOnce, form]);
  // Those that wait at a collection may get there, one in 20. Where one thing holds the next, all do, with 1700 bytes each.
  expect(Number(stdout)).toBeLessThan(mostBytes);
});
