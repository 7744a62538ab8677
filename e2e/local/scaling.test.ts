import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { compareOutputs, type JsonAnswer } from '../../examples/compare-outputs.ts';
import { binaryRequest, readBinaryAnswer } from './binary-tensors.ts';
import type { Pod } from '../../operator/cluster/resources.ts';
import { DIGITS, VOICE_ACTIVITY } from './examples.ts';
import { ModelServer, whole } from './model-server.ts';
import { condition } from '../function-state.ts';
import { startPlatform, type Platform } from './platform.ts';
import { isAlive, podProcesses } from './processes.ts';
import { UnfinishedRequest, type Answer } from './request.ts';

jest.setTimeout(60_000);

const EXAMPLES = [
  { name: 'digits', example: DIGITS },
  { name: 'voice-activity', example: VOICE_ACTIVITY },
];
const TARGET = 8;

const SLOW = '/slow.onnx';

let platform: Platform;
let models: ModelServer;
/** Of the function whose start no request outlives. */
let slowPod: Pod;
beforeAll(async () => {
  models = await ModelServer.start();
  models.serve(SLOW, whole(DIGITS.model));
  platform = await startPlatform();
  for (const { name, example } of EXAMPLES) {
    await platform.apply(name, { model: { uri: example.uri }, scaling: { target: TARGET, maxReplicas: 4 } });
  }
  await platform.apply('slow', { model: { uri: models.url(SLOW) }, queue: { timeoutSeconds: 1 } });
  await Promise.all([...EXAMPLES.map(({ name }) => platform.untilReady(name)), platform.untilReady('slow')]);
});
afterAll(async () => {
  await platform.close();
  await models.close();
});

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
  for (const fn of statuses) expect(condition(fn, 'Ready')?.status).toBe('True');

  const answers = await Promise.all(EXAMPLES.map(({ name, example }) => platform.infer(name, example.request)));
  for (const [at, answer] of answers.entries()) {
    expect(differences(answer, EXAMPLES[at]!.example.expected)).toEqual([]);
    expect(Number(answer.headers['pilotlight-cold-start'])).toBeGreaterThan(0);
    expect(answer.headers['server-timing']).toMatch(/^queue;dur=[\d.]+, start-\w+;dur=[\d.]+, .*pod;dur=[\d.]+$/);
  }
  const warm = await platform.infer('digits', DIGITS.request);
  expect(warm.headers).not.toHaveProperty('pilotlight-cold-start');
});

test('a request does not wait longer than the queue lets it for a model that starts slowly', async () => {
  await platform.untilNoPods('slow');
  models.hold(SLOW);
  const { status, json, headers } = await platform.infer('slow', DIGITS.request);
  expect({ status, code: json['code'] }).toEqual({ status: 503, code: 'no-pod-in-time' });
  expect(json['error']).toMatch(/within 1 s \(queue\.timeoutSeconds\)/);
  expect(headers['retry-after']).toBe('1');
  slowPod = await platform.onlyPod('slow');
});

test('a function grows to as many replicas as its requests need, then goes back to zero and leaves no process', async () => {
  const url = platform.url('digits', '/v2/models/digits/infer');
  const requests = Array.from({ length: 2 * TARGET + 1 }, () => new UnfinishedRequest(url, DIGITS.request));
  await platform.untilReplicas('digits', 3);
  const processes = await Promise.all((await platform.pods('digits')).map(podProcesses));

  const answers = await Promise.all(requests.map((request) => request.finish()));
  expect(answers.flatMap((answer) => differences(answer, DIGITS.expected))).toEqual([]);

  await Promise.all(EXAMPLES.map(({ name }) => platform.untilNoPods(name)));
  expect(processes.flatMap(({ group, runtime }) => [group, runtime]).filter(isAlive)).toEqual([]);
});

test('a model that starts more slowly than requests wait and windows last is not given up', async () => {
  // The other functions fell silent later than this one, and have been given up.
  models.release(SLOW, DIGITS.model);
  await platform.untilReplicas('slow', 1);
  expect((await platform.infer('slow', DIGITS.request)).status).toBe(200);
  expect((await platform.onlyPod('slow')).metadata.uid).toBe(slowPod.metadata.uid);
});
