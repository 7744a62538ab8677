/** Requests that end before their time: each has one answer at most, harms nobody else, and leaves no place taken. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { InferenceError } from '../inference.ts';
import { closeTestRuntimes, INFER, POD, ROW, testRuntime, type TestRuntime } from '../runtime.fixture.ts';

afterEach(closeTestRuntimes);

const GATEWAY = { 'pilotlight-pod-uid': POD.uid, 'pilotlight-timeout-ms': '500' };
const POST_ROW = `POST ${INFER} HTTP/1.1\r\nhost: x\r\ncontent-length: ${ROW.length}\r\n\r\n${ROW}`;

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setImmediate(resolve));
}

function hasInFlight(count: number, { metrics }: Pick<TestRuntime, 'metrics'>): () => Promise<boolean> {
  return async () => (await metrics()).includes(`requests_in_flight{model="digits",version="digits-00001"} ${count}\n`);
}

function open({ runtime }: TestRuntime): Socket {
  return connect(runtime.ports.http, '127.0.0.1').on('error', () => undefined);
}

test('a run that fails after its client was told 504 is answered no second time', async () => {
  const { infer, model, clock } = await testRuntime();
  model.hold();
  const answer = infer({ headers: GATEWAY });
  await until(() => model.load.running === 1);
  await clock.advance(500);
  expect((await answer).status).toBe(504);
  model.failNext(new InferenceError('no'));
  model.release();
  expect((await infer()).status).toBe(200);
});

test('requests sent ahead of an answer begin one after the other, and leave no place taken when their client leaves', async () => {
  const runtime = await testRuntime();
  const { model } = runtime;
  model.hold();
  const socket = open(runtime);
  socket.write(POST_ROW.repeat(3));
  await until(() => model.load.running === 1);
  await until(hasInFlight(1, runtime));
  socket.destroy();
  await until(() => socket.closed);
  model.release();
  await until(hasInFlight(0, runtime));
});

test('a connection with too many requests ahead of an answer is broken', async () => {
  const runtime = await testRuntime();
  runtime.model.hold();
  const socket = open(runtime);
  socket.write(POST_ROW.repeat(66));
  await once(socket, 'close');
  runtime.model.release();
  await until(hasInFlight(0, runtime));
});

test('requests sent ahead of an answer are answered in order', async () => {
  const runtime = await testRuntime();
  const socket = open(runtime);
  socket.write(POST_ROW + POST_ROW.replace('"x"', '"z"') + POST_ROW);
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await until(() => text.split('HTTP/1.1 ').length === 4 && text.endsWith('}'));
  expect(text.match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 400', 'HTTP/1.1 200']);
  socket.destroy();
});
