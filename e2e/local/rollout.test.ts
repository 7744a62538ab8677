import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { MODEL_REVISIONS } from '../../operator/cluster/resources.ts';
import { DIGITS } from './examples.ts';
import { ModelServer } from './model-server.ts';
import { condition, isCurrent } from '../function-state.ts';
import { startPlatform, type Platform } from './platform.ts';
import { isAlive, podProcesses } from './processes.ts';
import { UnfinishedRequest, type Answer } from './request.ts';
import { Traffic } from './traffic.ts';

jest.setTimeout(60_000);

const CLIENTS = 4;
const NEXT = '/next.onnx';

let platform: Platform;
let models: ModelServer;
beforeAll(async () => {
  models = await ModelServer.start();
  platform = await startPlatform();
  await apply(DIGITS.uri);
  await platform.untilReady('digits');
});
afterAll(async () => {
  await platform.close();
  await models.close();
});

function apply(uri: string): Promise<void> {
  return platform.apply('digits', { model: { uri }, scaling: { minReplicas: 1, maxReplicas: 1 } });
}

function infer(): Promise<Answer> {
  return platform.infer('digits', DIGITS.request);
}

function revisionsOf(answers: readonly Answer[]): Set<unknown> {
  return new Set(answers.map(({ headers }) => headers['pilotlight-revision']));
}

function statusesOf(answers: readonly Answer[]): Set<string> {
  return new Set(answers.map(({ status, json }) => [status, json['code']].join(' ').trim()));
}

async function unfinishedRequest(): Promise<UnfinishedRequest> {
  const pod = await platform.onlyPod('digits');
  const request = new UnfinishedRequest(platform.url('digits', '/v2/models/digits/infer'), DIGITS.request);
  await platform.untilInPod(pod, 1);
  return request;
}

test('an edit takes over only when its revision is ready, and no request fails', async () => {
  const begunBefore = await unfinishedRequest();
  const traffic = new Traffic(CLIENTS, infer);
  models.hold(NEXT);
  await apply(models.url(NEXT));
  await platform.podPorts('digits-00002-0');
  expect(revisionsOf(await traffic.next(10 * CLIENTS))).toEqual(new Set(['digits-00001']));

  models.release(NEXT, DIGITS.model);
  await traffic.until(() => traffic.answers.at(-1)?.headers['pilotlight-revision'] === 'digits-00002');
  await traffic.next(2 * CLIENTS);
  expect(revisionsOf(await traffic.next(10 * CLIENTS))).toEqual(new Set(['digits-00002']));

  const { status, headers } = await begunBefore.finish();
  expect({ status, revision: headers['pilotlight-revision'] }).toEqual({ status: 200, revision: 'digits-00001' });
  await traffic.stop();
  expect(statusesOf(traffic.answers)).toEqual(new Set(['200']));
  const { status: reported } = await platform.untilReady('digits');
  expect(reported).toMatchObject({ latestReadyRevision: 'digits-00002', traffic: [{ revision: 'digits-00002' }] });
});

test('a broken edit leaves the revision before it serving, and the status says why', async () => {
  const traffic = new Traffic(CLIENTS, infer);
  await apply('file:///nowhere/model.onnx');
  const fn = await platform.untilFunction(
    'digits',
    'has a broken revision',
    (now) => isCurrent(now) && condition(now, 'Ready')?.status === 'False',
  );
  expect(condition(fn, 'Ready')).toMatchObject({
    reason: 'ModelNotFound',
    message: expect.stringMatching(/^Revision digits-00003: .* does not exist.*; digits-00002 serves on$/),
  });
  await traffic.next(2 * CLIENTS);
  await traffic.stop();
  expect(statusesOf(traffic.answers)).toEqual(new Set(['200']));
  expect(revisionsOf(traffic.answers)).toEqual(new Set(['digits-00002']));

  await apply(DIGITS.uri);
  const { status } = await platform.untilReady('digits');
  expect(status?.latestReadyRevision).toBe('digits-00004');
});

test('a function that is deleted answers what it has, refuses the rest, and leaves nothing', async () => {
  await platform.until('one pod is left', MODEL_REVISIONS, (all) => {
    const replicas = all.map(({ status }) => status?.replicas ?? 0);
    return replicas.reduce((sum, each) => sum + each, 0) === 1 || undefined;
  });
  const begunBefore = await unfinishedRequest();
  const { group, runtime } = await podProcesses(await platform.onlyPod('digits'));
  const traffic = new Traffic(CLIENTS, infer);
  await traffic.next(CLIENTS);

  await platform.delete('digits');
  await traffic.until(() => traffic.answers.at(-1)?.status === 404);
  expect((await begunBefore.finish()).status).toBe(200);
  await traffic.stop();
  expect(statusesOf(traffic.answers)).toEqual(new Set(['200', '404 unknown-function']));

  await platform.untilNoPods('digits');
  await platform.until('no revision is left', MODEL_REVISIONS, ({ length }) => length === 0 || undefined);
  expect([group, runtime].filter(isAlive)).toEqual([]);
});
