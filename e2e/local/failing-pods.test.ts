import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { DIGITS, ENDLESS, LOOP, SHORT } from './examples.ts';
import { PATIENCE_MILLISECONDS, startPlatform, type Platform } from './platform.ts';
import { podProcesses, waitUntil } from './processes.ts';
import { UnfinishedRequest, type Answer } from './request.ts';

jest.setTimeout(60_000);

let platform: Platform;
beforeAll(async () => {
  platform = await startPlatform();
  const scaling = { minReplicas: 1, maxReplicas: 1 };
  await platform.apply('digits', { model: { uri: DIGITS.uri }, scaling });
  await platform.apply('restarted', { model: { uri: DIGITS.uri }, scaling });
  await platform.apply('poisoned', { model: { uri: LOOP }, scaling });
  await platform.apply('hung', { model: { uri: LOOP }, timeoutSeconds: 1, scaling });
  for (const name of ['digits', 'restarted', 'poisoned', 'hung']) await platform.untilReady(name);
});
afterAll(() => platform.close());

test('a request whose pod is killed is answered by the pod that replaces it', async () => {
  const before = await platform.onlyPod('digits');
  const { group, runtime } = await podProcesses(before);
  // Stopped, so that the request is surely in it and surely not answered when the kill comes.
  process.kill(runtime, 'SIGSTOP');
  const answer = platform.infer('digits', DIGITS.request);
  await platform.untilLoad('digits', 'one in a pod', ({ inFlight }) => inFlight === 1);
  process.kill(-group, 'SIGKILL');

  expect((await answer).status).toBe(200);
  const after = await platform.onlyPod('digits', before);
  expect(after.metadata.uid).not.toBe(before.metadata.uid);
});

test('a request that had half of its large body in a pod that is killed is answered by the pod that replaces it', async () => {
  const before = await platform.onlyPod('digits');
  const request = new UnfinishedRequest(platform.url('digits', '/v2/models/digits/infer'), DIGITS.request);
  await platform.untilInPod(before, 1);
  process.kill(-(await podProcesses(before)).group, 'SIGKILL');

  await platform.onlyPod('digits', before);
  expect((await request.finish()).status).toBe(200);
});

test('a request whose runtime is killed is answered by the runtime that starts in its place, in the same pod', async () => {
  const pod = await platform.onlyPod('restarted');
  const { runtime } = await podProcesses(pod);
  process.kill(runtime, 'SIGSTOP');
  const answer = platform.infer('restarted', DIGITS.request);
  await platform.untilLoad('restarted', 'one in a pod', ({ inFlight }) => inFlight === 1);
  process.kill(runtime, 'SIGKILL');

  expect((await answer).status).toBe(200);
  expect((await podProcesses(pod)).runtime).not.toBe(runtime);
  expect((await platform.onlyPod('restarted')).metadata.uid).toBe(pod.metadata.uid);
});

test('a request that two pods died of is 502 poison, and no third pod gets it', async () => {
  const first = await platform.onlyPod('poisoned');
  const answer = platform.infer('poisoned', ENDLESS);
  await platform.untilInPod(first, 1);
  process.kill(-(await podProcesses(first)).group, 'SIGKILL');

  const second = await platform.onlyPod('poisoned', first);
  await platform.untilInPod(second, 1);
  process.kill(-(await podProcesses(second)).group, 'SIGKILL');

  const { status, json } = await answer;
  expect({ status, code: json['code'] }).toEqual({ status: 502, code: 'poison' });
  expect((await platform.infer('poisoned', SHORT)).status).toBe(200);
  const third = await platform.onlyPod('poisoned', second);
  await platform.untilInPod(third, 0);
});

test('a run past its time is 504, and past twice its time the runtime starts anew in its pod and serves', async () => {
  const pod = await platform.onlyPod('hung');
  const { runtime } = await podProcesses(pod);
  const hanging = platform.infer('hung', ENDLESS);
  await platform.untilInPod(pod, 1);
  const behind = platform.infer('hung', SHORT);
  const tooLong = { status: 504, error: expect.stringMatching(/longer than 1 s/) };
  const seen = ({ status, json }: Answer): object => ({ status, error: json['error'] });
  expect(seen(await hanging)).toEqual(tooLong);
  // The session is busy still, so whoever waited behind it for his whole time is told the same.
  expect(seen(await behind)).toEqual(tooLong);
  // Whoever is in the pod when it is killed was never answered, and the gateway asks once more: the runtime that starts in its place.
  const caught = platform.infer('hung', SHORT);

  const isAnother = async (): Promise<boolean> => {
    const now = await podProcesses(pod).catch(() => undefined);
    return now !== undefined && now.runtime !== runtime;
  };
  await waitUntil('another runtime is in the pod', isAnother, PATIENCE_MILLISECONDS);
  expect((await caught).status).toBe(200);
  expect((await platform.infer('hung', SHORT)).status).toBe(200);
  expect((await platform.onlyPod('hung')).metadata.uid).toBe(pod.metadata.uid);
});
