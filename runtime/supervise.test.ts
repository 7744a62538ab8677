import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { afterEach, beforeEach, expect, test } from '@jest/globals';

const SUPERVISE = join(import.meta.dirname, 'supervise.sh');

let directory: string;
let child: ChildProcessByStdio<Writable, Readable, null> | undefined;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'supervise-'));
});

afterEach(() => {
  if (child?.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  rmSync(directory, { recursive: true });
});

interface Supervised {
  /** The next line that the program writes. */
  line(): Promise<string>;
  readonly ended: Promise<number | null>;
  readonly process: ChildProcessByStdio<Writable, Readable, null>;
  readonly log: string;
}

/** The program is a line of sh, in whose place a test's behaviour stands; `$$` is its own process id. */
function supervise(program: string): Supervised {
  const log = join(directory, 'termination-log');
  const started = spawn(SUPERVISE, ['sh', '-c', program], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { ...process.env, PILOTLIGHT_TERMINATION_LOG: log, COUNT: join(directory, 'count') },
  });
  child = started;
  const lines = createInterface({ input: started.stdout })[Symbol.asyncIterator]();
  return {
    line: async () => String((await lines.next()).value),
    ended: once(started, 'exit').then(([code]) => code as number | null),
    process: started,
    log,
  };
}

/** sh sees to a signal between two commands, and leaves no long one behind. */
const UNTIL_TERM = 'while :; do sleep 0.02; done';

test.each([0, 1, 7, 143])('ends with the program’s own status %i, without a restart', async (status) => {
  const { line, ended, log } = supervise(`echo started; exit ${status}`);
  expect(await line()).toBe('started');
  expect(await ended).toBe(status);
  expect(await line()).toBe('undefined');
  expect(existsSync(log)).toBe(false);
});

test.each(['KILL', 'ABRT', 'SEGV'])('starts a program again that SIG%s ended', async (signal) => {
  const { ended } = supervise(`echo x >>"$COUNT"; [ "$(wc -l <"$COUNT")" -lt 3 ] && kill -${signal} $$; exit 5`);
  expect(await ended).toBe(5);
  expect(readFileSync(join(directory, 'count'), 'utf8')).toBe('x\nx\nx\n');
});

test('gives up after three restarts, with the reason in the termination log', async () => {
  const { ended, log } = supervise('echo x >>"$COUNT"; kill -KILL $$');
  expect(await ended).toBe(137);
  expect(readFileSync(join(directory, 'count'), 'utf8')).toBe('x\nx\nx\nx\n');
  expect(JSON.parse(readFileSync(log, 'utf8'))).toEqual({
    reason: 'RuntimeHung',
    message: expect.stringContaining('was killed 4 times in 10 minutes (last status 137)'),
  });
});

test('passes SIGTERM on and waits for the program to end in its own way', async () => {
  const { line, ended, process } = supervise(`trap 'echo ending; exit 0' TERM; echo started; ${UNTIL_TERM}`);
  expect(await line()).toBe('started');
  process.kill('SIGTERM');
  expect(await line()).toBe('ending');
  expect(await ended).toBe(0);
});

test('does not start a program again that was killed while it was to end', async () => {
  const { line, ended, process } = supervise(`trap 'kill -KILL $$' TERM; echo started; ${UNTIL_TERM}`);
  await line();
  process.kill('SIGTERM');
  expect(await ended).toBe(137);
  expect(await line()).toBe('undefined');
});

test('does not care about its standard input', async () => {
  const { line, ended, process } = supervise(`trap 'exit 0' TERM; echo started; ${UNTIL_TERM}`);
  await line();
  process.stdin.end();
  process.kill('SIGTERM');
  expect(await ended).toBe(0);
});
