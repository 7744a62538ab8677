import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';

const LAUNCHER = join(import.meta.dirname, 'pilotlight.cjs');

/** Older than the project's own, where the machine has one. */
const SYSTEM_NODES = ['/usr/bin/node', '/usr/local/bin/node'].filter(existsSync);

test.each([process.execPath, ...SYSTEM_NODES])('%s starts the built command', async (node) => {
  const { stdout } = await promisify(execFile)(node, [LAUNCHER, 'help']);
  expect(stdout).toContain('Usage: pilotlight COMMAND');
});

test('the exit code is the command’s own', async () => {
  const failed = await promisify(execFile)(process.execPath, [LAUNCHER, 'nothing']).catch((error: unknown) => error);
  expect(failed).toMatchObject({ code: 2 });
});
