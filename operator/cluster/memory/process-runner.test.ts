/** With real processes of this machine; each wait ends with what it waits for. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { systemClock } from '../../../common/platform/clock.ts';
import type { RunningPod } from './pod-runner.ts';
import { ProcessRunner, type PodLogLine } from './process-runner.ts';
import { testPod } from './test-cluster.ts';

let directory: string;
let runner: ProcessRunner;
let lines: PodLogLine[];
let onLine: (line: PodLogLine) => void;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pilotlight-process-runner-'));
  lines = [];
  onLine = (line) => lines.push(line);
});

afterEach(async () => {
  await runner.close();
  await rm(directory, { recursive: true });
});

const POD = { ...testPod('a'), metadata: { name: 'a', namespace: 'default', uid: 'the-uid' } };

/** Runs this program of Node in the pod. */
function start(program: string, environment: Record<string, string> = {}): RunningPod {
  runner = new ProcessRunner({
    clock: systemClock,
    commandFor: () => ({ file: process.execPath, arguments: ['-e', program] }),
    environment: { FROM_CALLER: '1', BOTH: 'caller' },
    directory,
    onLine: (line) => onLine(line),
  });
  return runner.start(POD, environment);
}

/** Resolves with the first line that the pod prints. */
function firstLine(): Promise<string> {
  return new Promise((resolve) => {
    onLine = ({ text }) => resolve(text);
  });
}

test('forwards lines of both streams, and the exit code', async () => {
  const { exited } = start(`console.log('one\\ntwo'); console.error('three'); process.exitCode = 7;`);
  expect(await exited).toEqual({ exitCode: 7, signal: undefined, terminationMessage: '' });
  expect(lines.filter(({ stream }) => stream === 'stdout').map(({ text }) => text)).toEqual(['one', 'two']);
  expect(lines.filter(({ stream }) => stream === 'stderr').map(({ text }) => text)).toEqual(['three']);
  expect(lines[0]?.pod).toBe(POD);
});

test('gives the program what the pod declares, what the caller adds and PATH, and nothing else', async () => {
  process.env['PILOTLIGHT_TEST_LEAK'] = 'x';
  const { exited } = start('console.log(JSON.stringify(process.env))', { DECLARED: '1', BOTH: 'pod' });
  await exited;
  delete process.env['PILOTLIGHT_TEST_LEAK'];
  expect(JSON.parse(lines[0]?.text ?? '')).toEqual({
    PATH: process.env['PATH'],
    FROM_CALLER: '1',
    DECLARED: '1',
    BOTH: 'pod',
    PILOTLIGHT_TERMINATION_LOG: join(directory, 'the-uid'),
  });
});

test('takes the end of the termination log, and leaves no file', async () => {
  const { exited } = start(
    `require('fs').writeFileSync(process.env.PILOTLIGHT_TERMINATION_LOG, 'x'.repeat(5000) + 'why'); process.exit(1)`,
  );
  const { terminationMessage } = await exited;
  expect(terminationMessage).toBe('x'.repeat(4093) + 'why');
  expect(await readdir(directory)).toEqual([]);
});

test('does not follow what a program puts in the place of its termination log', async () => {
  await writeFile(join(directory, 'elsewhere'), 'secret');
  const { exited } = start(
    `require('fs').symlinkSync(${JSON.stringify(join(directory, 'elsewhere'))}, process.env.PILOTLIGHT_TERMINATION_LOG)`,
  );
  expect((await exited).terminationMessage).toBe('');
});

test('terminates the program, which may take its time', async () => {
  const running = start(`process.on('SIGTERM', () => process.exit(3)); setInterval(() => {}, 1e6); console.log('up')`);
  await firstLine();
  running.signal('SIGTERM');
  expect(await running.exited).toMatchObject({ exitCode: 3 });
  running.signal('SIGKILL');
});

test('kills a program that does not end, and its children', async () => {
  const running = start(`
    process.on('SIGTERM', () => {});
    const child = require('child_process').spawn(process.execPath, ['-e', 'console.log("up"); setInterval(() => {}, 1e6)'], { stdio: 'inherit' });
    setInterval(() => {}, 1e6);`);
  await firstLine();
  running.signal('SIGTERM');
  running.signal('SIGKILL');
  expect(await running.exited).toMatchObject({ exitCode: undefined, signal: 'SIGKILL' });
});

test('takes along the children of a program that ends by itself', async () => {
  const { server, connected } = await listen();
  const { exited } = start(`
    const { spawn } = require('child_process');
    const code = 'require("net").connect(${port(server)}, "127.0.0.1").on("connect", () => process.send("up"))';
    spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] }).on('message', () => process.exit(0));`);
  const gone = closed(await connected);
  expect(await exited).toMatchObject({ exitCode: 0 });
  await gone;
  server.close();
});

test('does not wait for the output of a child that went its own way', async () => {
  const { server, connected } = await listen();
  const { exited } = start(`
    const code = 'require("net").connect(${port(server)}, "127.0.0.1").resume()';
    require('child_process').spawn(process.execPath, ['-e', code], { stdio: 'inherit', detached: true }).unref();`);
  const socket = await connected;
  expect(await exited).toMatchObject({ exitCode: 0 });
  socket.end();
  server.close();
});

test('a program that cannot be started is an exit that says so', async () => {
  runner = new ProcessRunner({
    clock: systemClock,
    commandFor: () => ({ file: '/no/such/program', arguments: [] }),
    directory,
    onLine: () => undefined,
  });
  const running = runner.start(POD, {});
  running.signal('SIGTERM');
  expect(await running.exited).toEqual({
    exitCode: 128,
    signal: undefined,
    terminationMessage: 'Cannot start the program: spawn /no/such/program ENOENT',
  });
  const invalid = runner.start(POD, { A: 'b\0c' });
  expect(await invalid.exited).toMatchObject({
    exitCode: 128,
    terminationMessage: expect.stringContaining('null bytes'),
  });
});

test('no program outlives this process, even if that is killed', async () => {
  const { server, connected } = await listen();
  const child = `require("net").connect(${port(server)}, "127.0.0.1").resume(); process.on("SIGTERM", () => {})`;
  // The program itself ignores its stdin, so it is the watchdog that ends it.
  const parent = spawn(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `import { ProcessRunner } from ${JSON.stringify(join(import.meta.dirname, 'process-runner.ts'))};
       import { systemClock } from ${JSON.stringify(join(import.meta.dirname, '../../../common/platform/clock.ts'))};
       const runner = new ProcessRunner({
         clock: systemClock, directory: ${JSON.stringify(directory)}, onLine: () => undefined,
         commandFor: (pod) => ({ file: process.execPath, arguments: ['-e', pod.metadata.name] }),
       });
       await runner.start({ metadata: { name: '', uid: 'x' } }, {}).exited;
       runner.start({ metadata: { name: ${JSON.stringify(child)}, uid: 'y' } }, {});`,
    ],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  );
  const gone = closed(await connected);
  parent.kill('SIGKILL');
  await once(parent, 'exit');
  await gone;
  server.close();
});

/** `connected` is the first connection that somebody makes. */
async function listen(): Promise<{ server: Server; connected: Promise<Socket> }> {
  const server = createServer();
  const connected = once(server, 'connection').then(([socket]) => socket as Socket);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, connected };
}

function port(server: Server): number {
  return (server.address() as AddressInfo).port;
}

/** A connection of a process that was killed may end with an error. */
function closed(socket: Socket): Promise<unknown> {
  socket.on('error', () => undefined).resume();
  return new Promise((resolve) => socket.once('close', resolve));
}
