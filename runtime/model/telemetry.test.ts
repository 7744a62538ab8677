/** ONNX Runtime's own builds collect how and with what they are used, and send it to their maker. Users of this one have agreed to nothing like that. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, test } from '@jest/globals';

const PROGRAM = join(import.meta.dirname, 'fixtures', 'load-one.ts');

const home = mkdtempSync(join(tmpdir(), 'telemetry-'));
afterAll(() => rmSync(home, { recursive: true }));

test.each([[{}], [{ ORT_DISABLE_TELEMETRY: '0' }]])(
  'nothing about its use is collected, with the environment %j',
  async (environment) => {
    // Without `CI`, with which ONNX Runtime collects nothing by itself.
    await promisify(execFile)(process.execPath, [PROGRAM], { env: { HOME: home, ...environment } });
    expect(readdirSync(home)).toEqual([]);
  },
);
