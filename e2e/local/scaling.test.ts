import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { compareOutputs, type JsonAnswer } from '../../examples/compare-outputs.ts';
import { binaryRequest, readBinaryAnswer } from './binary-tensors.ts';
import { DIGITS, VOICE_ACTIVITY } from './examples.ts';
import { readyCondition, startPlatform, type Platform } from './platform.ts';
import { descendants } from './processes.ts';
import { UnfinishedRequest, type Answer } from './request.ts';

jest.setTimeout(60_000);

const EXAMPLES = [
  { name: 'digits', example: DIGITS },
  { name: 'voice-activity', example: VOICE_ACTIVITY },
];
const TARGET = 8;

let platform: Platform;
beforeAll(async () => {
  platform = await startPlatform();
  for (const { name, example } of EXAMPLES) {
    await platform.apply(name, { model: { uri: example.uri }, scaling: { target: TARGET, maxReplicas: 4 } });
  }
  await Promise.all(EXAMPLES.map(({ name }) => platform.untilReady(name)));
});
afterAll(() => platform.close());

function differences({ status, json, body }: Answer, expected: JsonAnswer): string[] {
  return status === 200 ? compareOutputs(json as unknown as JsonAnswer, expected) : [`${status} ${body.toString()}`];
}

test.each(EXAMPLES)('$name gives the expected answer, as JSON and as binary tensors', async ({ name, example }) => {
  expect(differences(await platform.infer(name, example.request), example.expected)).toEqual([]);

  const { body, headers } = binaryRequest(example.request);
  const answer = await platform.infer(name, body, { headers });
  expect(answer.status).toBe(200);
  expect(compareOutputs(readBinaryAnswer(answer.headers, answer.body), example.expected)).toEqual([]);
});

test('the voice-activity model is not batched, and its metadata and the status of the function say why', async () => {
  const { json } = await platform.send('voice-activity', '/v2/models/voice-activity');
  const parameters = json['parameters'] as { batching: boolean; batching_reason: string };
  expect(parameters.batching).toBe(false);
  expect(parameters.batching_reason).toMatch(/\w+ .*\w/);

  const { status } = await platform.untilReady('voice-activity');
  expect(status?.model?.batching).toEqual({ enabled: false, reason: parameters.batching_reason });
});

test('the digits model is batched', async () => {
  const { json } = await platform.send('digits', '/v2/models/digits');
  expect(json['parameters']).toMatchObject({ batching: true });
});

test('after silence a function is at zero, and the first request wakes it and says how long it waited', async () => {
  await Promise.all(EXAMPLES.map(({ name }) => platform.untilNoPods(name)));
  const statuses = await Promise.all(EXAMPLES.map(({ name }) => platform.untilReplicas(name, 0)));
  for (const fn of statuses) expect(readyCondition(fn)?.status).toBe('True');

  const answers = await Promise.all(EXAMPLES.map(({ name, example }) => platform.infer(name, example.request)));
  for (const [at, answer] of answers.entries()) {
    expect(differences(answer, EXAMPLES[at]!.example.expected)).toEqual([]);
    expect(Number(answer.headers['pilotlight-cold-start'])).toBeGreaterThan(0);
    expect(answer.headers['server-timing']).toMatch(/^queue;dur=[\d.]+, start-\w+;dur=[\d.]+, .*pod;dur=[\d.]+$/);
  }
  const warm = await platform.infer('digits', DIGITS.request);
  expect(warm.headers).not.toHaveProperty('pilotlight-cold-start');
});

test('a function grows to as many replicas as its requests need, then goes back to zero and leaves no process', async () => {
  const url = platform.url('digits', '/v2/models/digits/infer');
  const requests = Array.from({ length: 2 * TARGET + 1 }, () => new UnfinishedRequest(url));
  await platform.untilReplicas('digits', 3);

  const answers = await Promise.all(requests.map((request) => request.finish(DIGITS.request)));
  expect(answers.flatMap((answer) => differences(answer, DIGITS.expected))).toEqual([]);

  await Promise.all(EXAMPLES.map(({ name }) => platform.untilNoPods(name)));
  const left = (await descendants(process.pid)).map(({ command }) => command);
  expect(left.filter((command) => command.includes('runtime.js'))).toEqual([]);
});
