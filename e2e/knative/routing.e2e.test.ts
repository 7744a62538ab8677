/**
 * Cases of Knative Serving's suite about routes, by its names. A Service with its Route and Configuration is our ModelFunction; `traffic` is
 * `spec.traffic`, the name of a tag's host `<tag>--<function>`.
 */
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type { ModelFunctionManifest } from '../../common/api/kinds.ts';
import { condition, isCurrent } from '../function-state.ts';
import { DIGITS } from '../local/examples.ts';
import type { ClientRequest, LoadCondition, LoadReport } from '../cluster/support/client/protocol.ts';
import { GATEWAY, SYSTEM_NAMESPACE } from '../cluster/support/installation.ts';
import { modelFunction } from '../cluster/support/manifests.ts';
import { startSuite, type Suite } from '../cluster/support/suite.ts';

jest.setTimeout(180_000);

let suite: Suite;
beforeAll(async () => {
  suite = await startSuite('knative-routing');
});
afterAll(() => suite.close());

/** What becomes of requests until the condition holds. */
async function callUntil(request: ClientRequest, until: LoadCondition): Promise<LoadReport> {
  const load = await suite.client.load({ request, concurrency: 4, keepAlive: true });
  await load.until(until);
  return load.stop();
}

test.concurrent('TestServiceWithTrafficSplit', async () => {
  const name = 'split';
  const [former, next] = [`${name}-00001`, `${name}-00002`];
  const apply = (maxBatchSize: number, traffic: ModelFunctionManifest['spec']['traffic']): Promise<string> =>
    suite.apply(modelFunction(name, { batching: { maxBatchSize }, ...(traffic === undefined ? {} : { traffic }) }));
  const byTag = (tag: string): ClientRequest => ({
    ...suite.inference(name, DIGITS.request),
    url: suite.url(`${tag}--${name}`, `/v2/models/${name}/infer`),
  });
  const revisionOf = async (request: ClientRequest): Promise<string | undefined> =>
    (await suite.client.send(request)).headers['pilotlight-revision'];
  const untagged = suite.inference(name, DIGITS.request);
  await apply(8, undefined);
  await suite.untilReady(name);

  // A new revision that nobody gets but by its tag.
  await apply(4, [
    { revision: former, percent: 100, tag: 'current' },
    { revision: 'latest', percent: 0, tag: 'latest' },
  ]);
  const { status } = await suite.untilReady(name);
  expect(status?.traffic?.map(({ revision, percent }) => [revision, percent])).toEqual([
    [former, 100],
    [next, 0],
  ]);
  await callUntil(byTag('latest'), { revision: { name: next, inARow: 20 } });
  expect(await revisionOf(byTag('current'))).toBe(former);
  const before = await callUntil(untagged, { total: 100 });
  expect(before).toMatchObject({ outcomes: { '200': before.sent }, revisions: { [former]: before.sent } });

  await apply(4, [
    { revision: former, percent: 50, tag: 'current' },
    { revision: next, percent: 50, tag: 'candidate' },
    { revision: 'latest', percent: 0, tag: 'latest' },
  ]);
  await suite.untilReady(name);
  await callUntil(untagged, { revision: { name: next, inARow: 2 } });
  const split = await callUntil(untagged, { total: 400 });
  expect(split.outcomes).toEqual({ '200': split.sent });
  // Ten standard deviations to both sides of a half.
  for (const revision of [former, next]) expect(split.revisions[revision]).toBeGreaterThan(100);

  await apply(4, [
    { revision: next, percent: 100, tag: 'current' },
    { revision: 'latest', percent: 0, tag: 'latest' },
  ]);
  await suite.untilReady(name);
  // Four clients may have one request each on its way yet.
  await callUntil(untagged, { revision: { name: next, inARow: 40 } });
  const after = await callUntil(untagged, { total: 100 });
  expect(after).toMatchObject({ outcomes: { '200': after.sent }, revisions: { [next]: after.sent } });
  expect(await revisionOf(byTag('current'))).toBe(next);
});

test.concurrent('TestRoutesNotReady', async () => {
  const name = 'not-ready';
  const traffic = [{ revision: `${name}-00009`, percent: 100 }];
  await suite.apply(modelFunction(name, { traffic }));
  const fn = await suite.untilFunction(
    name,
    'has a revision but no route',
    (now) =>
      isCurrent(now) &&
      condition(now, 'RevisionsReady')?.status === 'True' &&
      condition(now, 'Ready')?.status === 'False',
  );
  expect(condition(fn, 'TrafficAssigned')).toMatchObject({ status: 'False', reason: 'RevisionMissing' });
  expect(condition(fn, 'Ready')).toMatchObject({
    reason: 'RevisionMissing',
    message: expect.stringContaining(`${name}-00009`),
  });
  await suite.apply(modelFunction(name, { traffic: [{ revision: `${name}-00001`, percent: 100 }] }));
  await suite.untilReady(name);
  expect((await suite.infer(name, DIGITS.request)).status).toBe(200);
});

test.concurrent('TestRouteVisibilityChanges', async () => {
  const name = 'visible';
  const path = `/functions/${suite.namespace}/${name}/v2/models/${name}/infer`;
  const outside = {
    ...suite.inference(name, DIGITS.request),
    url: `http://${GATEWAY}-external.${SYSTEM_NAMESPACE}${path}`,
  };
  const hidden: LoadCondition = { outcome: { name: '404 unknown-function', inARow: 20 } };
  const shown: LoadCondition = { outcome: { name: '200', inARow: 20 } };
  // Knative's are seen from outside unless a label says otherwise; ours are not unless `visibility` says so.
  const changes = [
    { spec: {}, outside: hidden },
    { spec: { visibility: 'External' }, outside: shown },
    { spec: { visibility: 'Cluster' }, outside: hidden },
  ] as const;
  for (const change of changes) {
    await suite.apply(modelFunction(name, change.spec));
    await suite.untilReady(name);
    await callUntil(outside, change.outside);
    expect((await suite.infer(name, DIGITS.request)).status).toBe(200);
  }
});
