import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type { ModelFunctionManifest } from '../../common/api/kinds.ts';
import { DIGITS } from '../local/examples.ts';
import type { Load } from './support/client.ts';
import { condition, isCurrent } from '../function-state.ts';
import { DIGITS_URI, modelFunction } from './support/manifests.ts';
import { startSuite, type Suite } from './support/suite.ts';

jest.setTimeout(120_000);

const NEXT = '/next.onnx';
const CLIENTS = 4;

let suite: Suite;
beforeAll(async () => {
  suite = await startSuite('rollout');
  await apply({ model: { uri: DIGITS_URI } });
  await suite.untilReady('digits');
});
afterAll(() => suite.close());

async function apply(spec: Partial<ModelFunctionManifest['spec']>): Promise<void> {
  await suite.apply(modelFunction('digits', { scaling: { minReplicas: 1, maxReplicas: 1 }, ...spec }));
}

function traffic(): Promise<Load> {
  return suite.client.load({
    request: suite.inference('digits', DIGITS.request),
    concurrency: CLIENTS,
    keepAlive: true,
  });
}

function send(host: string): Promise<{ readonly status: number; readonly revision: string | undefined }> {
  const { headers, body } = suite.inference('digits', DIGITS.request);
  const request = { url: suite.url(host, '/v2/models/digits/infer'), headers: headers!, body: body! };
  return suite.client
    .send(request)
    .then((answer) => ({ status: answer.status, revision: answer.headers['pilotlight-revision'] }));
}

test('a new revision gets no request before it is ready, then all of them, and none fails', async () => {
  const begunBefore = await suite.openInference('digits', DIGITS.request);
  const load = await traffic();
  const uri = await suite.client.serveModel(NEXT, 'held');
  await apply({ model: { uri } });
  await suite.pods.until('the new revision has a pod that runs', (pods) =>
    pods.find(({ metadata, status }) => metadata.name === 'digits-00002-0' && status?.phase === 'Running'),
  );
  const { revisions } = await load.until({ ended: 200 });
  expect(Object.keys(revisions)).toEqual(['digits-00001']);

  await suite.client.serveModel(NEXT, DIGITS.model);
  await load.until({ revision: { name: 'digits-00002', inARow: 50 * CLIENTS } });
  const { status } = await suite.untilReady('digits');
  expect(status).toMatchObject({
    latestReadyRevision: 'digits-00002',
    traffic: [{ revision: 'digits-00002', percent: 100 }],
  });
  const answer = await begunBefore.finish();
  expect({ status: answer.status, revision: answer.headers['pilotlight-revision'] }).toEqual({
    status: 200,
    revision: 'digits-00001',
  });
  const { outcomes, sent } = await load.stop();
  expect(outcomes).toEqual({ '200': sent });
});

test('a revision with a wrong digest leaves the one before it serving, and the status says so', async () => {
  const load = await traffic();
  await apply({ model: { uri: DIGITS_URI, sha256: '0'.repeat(64) } });
  const fn = await suite.untilFunction(
    'digits',
    'says what is wrong',
    (now) => isCurrent(now) && condition(now, 'Ready')?.status === 'False',
  );
  expect(condition(fn, 'Ready')).toMatchObject({
    reason: 'ModelDigestMismatch',
    message: expect.stringMatching(
      /^Revision digits-00003: .* has the SHA-256 [0-9a-f]{64}, but sha256 pins 0{64}.*; digits-00002 serves on$/,
    ),
  });
  await load.until({ ended: 200 });
  const { outcomes, revisions, sent } = await load.stop();
  expect({ outcomes, revisions }).toEqual({ outcomes: { '200': sent }, revisions: { 'digits-00002': sent } });
});

test('traffic that names an older revision goes back to it, and no request fails', async () => {
  const load = await traffic();
  await apply({
    model: { uri: DIGITS_URI, sha256: '0'.repeat(64) },
    traffic: [{ revision: 'digits-00001', percent: 100 }],
  });
  await load.until({ revision: { name: 'digits-00001', inARow: 50 * CLIENTS } });
  const { outcomes, sent } = await load.stop();
  expect(outcomes).toEqual({ '200': sent });
});

test('percentages share requests among revisions, and a tag reaches its own by a host name', async () => {
  await apply({
    model: { uri: DIGITS_URI },
    traffic: [
      { revision: 'latest', percent: 80, tag: 'next' },
      { revision: 'digits-00001', percent: 20, tag: 'proven' },
    ],
  });
  const fn = await suite.untilReady('digits');
  expect(fn.status?.traffic).toEqual([
    { revision: 'digits-00004', percent: 80, tag: 'next', url: suite.url('next--digits', '') },
    { revision: 'digits-00001', percent: 20, tag: 'proven', url: suite.url('proven--digits', '') },
  ]);
  const load = await suite.client.load({
    request: suite.inference('digits', DIGITS.request),
    concurrency: CLIENTS,
    requests: 500,
  });
  await load.until({ total: 500 });
  const { outcomes, revisions } = await load.stop();
  expect(outcomes).toEqual({ '200': 500 });
  expect(Object.keys(revisions).sort()).toEqual(['digits-00001', 'digits-00004']);
  // Ten standard deviations to both sides of 100.
  expect(Math.abs(revisions['digits-00001']! - 100)).toBeLessThan(90);

  for (let i = 0; i < 10; i++) {
    expect(await send('proven--digits')).toEqual({ status: 200, revision: 'digits-00001' });
    expect(await send('next--digits')).toEqual({ status: 200, revision: 'digits-00004' });
  }
});
