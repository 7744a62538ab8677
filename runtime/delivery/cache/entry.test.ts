import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, constants, existsSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { readEntry, recordPath, type Entry } from './entry.ts';

const sha256 = createHash('sha256').update('model').digest('hex');
const entry: Entry = { digest: { sha256, sizeBytes: 5 }, model: '', files: [{ path: '', sha256, sizeBytes: 5 }] };

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'entry-'));
  for (const folder of ['sha256', 'entries']) mkdirSync(join(directory, folder));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

const read = (): Promise<Entry | undefined> => readEntry(directory, sha256, 0, new AbortController().signal);

test('an entry that another process puts right while it is being read is taken, not removed', async () => {
  const place = join(directory, 'sha256', sha256);
  // Opening it takes until somebody writes to it.
  execFileSync('mkfifo', [place]);
  const record = recordPath(directory, sha256);
  writeFileSync(record, JSON.stringify({ ...entry, fingerprints: ['damaged'] }));
  const reading = read();
  let writer: number | undefined;
  while (writer === undefined) {
    await setImmediate();
    try {
      writer = openSync(place, constants.O_WRONLY | constants.O_NONBLOCK);
    } catch {
      // Nobody reads it yet.
    }
  }
  // At once, before anything comes of that.
  rmSync(place);
  writeFileSync(place, 'model');
  writeFileSync(record, JSON.stringify({ ...entry, fingerprints: ['right'] }));
  closeSync(writer);
  await expect(reading).resolves.toMatchObject({ digest: { sha256 } });
  expect(existsSync(place)).toBe(true);
});

test('what has no record is no entry, and is nobody’s to remove', async () => {
  const place = join(directory, 'sha256', sha256);
  writeFileSync(place, 'model');
  await expect(read()).resolves.toBeUndefined();
  expect(existsSync(place)).toBe(true);
});

test('a record that is none is removed with what it is of', async () => {
  const place = join(directory, 'sha256', sha256);
  writeFileSync(place, 'model');
  writeFileSync(recordPath(directory, sha256), '{}');
  await expect(read()).resolves.toBeUndefined();
  expect([place, recordPath(directory, sha256)].some((path) => existsSync(path))).toBe(false);
});
