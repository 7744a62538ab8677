import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { modelDigest } from './model-digest.ts';

const digestOf = (name: string, content: string): { name: string; sha256: string; sizeBytes: number } => ({
  name,
  sha256: createHash('sha256').update(content).digest('hex'),
  sizeBytes: content.length,
});

test('of one file it is the file’s own', () => {
  const file = digestOf('model.onnx', 'model');
  expect(modelDigest([file])).toEqual({ sha256: file.sha256, sizeBytes: 5 });
});

test('of several it is what the documented command prints', () => {
  const directory = mkdtempSync(join(tmpdir(), 'model-digest-'));
  const files = { 'model.onnx': 'model', 'b.bin': 'weights', 'B.bin': 'more', 'ä.bin': 'most' };
  for (const [name, content] of Object.entries(files)) writeFileSync(join(directory, name), content);
  const command = `sha256sum ${Object.keys(files).join(' ')} | LC_ALL=C sort -k 2 | sha256sum`;
  const printed = execFileSync('sh', ['-c', command], { cwd: directory, encoding: 'utf8' }).slice(0, 64);
  rmSync(directory, { recursive: true });
  expect(modelDigest(Object.entries(files).map(([name, content]) => digestOf(name, content)))).toEqual({
    sha256: printed,
    sizeBytes: 20,
  });
});
