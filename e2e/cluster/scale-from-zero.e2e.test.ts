import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { compareOutputs, type JsonAnswer } from '../../examples/compare-outputs.ts';
import { PODS } from '../../operator/cluster/resources.ts';
import { DIGITS } from '../local/examples.ts';
import { condition } from '../function-state.ts';
import { modelFunction, STABLE_WINDOW_SECONDS } from './support/manifests.ts';
import { listObjects } from './support/objects.ts';
import { startSuite, type Suite } from './support/suite.ts';

jest.setTimeout(120_000);

/** Of the window, of the two seconds between decisions, and of a busy machine's. */
const GONE_WITHIN_SECONDS = STABLE_WINDOW_SECONDS + 20;

let suite: Suite;
beforeAll(async () => {
  suite = await startSuite('scale-from-zero');
  await suite.apply(modelFunction('digits'));
  await suite.untilReady('digits');
});
afterAll(() => suite.close());

test('a function that nobody calls has no pod at all, is ready, and says that it is not active', async () => {
  await suite.untilNoPods('digits');
  const fn = await suite.untilReplicas('digits', 0);
  expect(condition(fn, 'Ready')?.status).toBe('True');
  expect(condition(fn, 'Active')).toMatchObject({ status: 'False', reason: 'NoDemand' });
});

test('the first request wakes it, is answered right, and says how long it waited; the next says nothing of a wait', async () => {
  // From the API server itself: a watch could be late.
  const { objects } = await listObjects(PODS, { namespace: suite.namespace, labels: suite.labelsOf('digits') });
  expect(objects).toEqual([]);

  const cold = await suite.infer('digits', DIGITS.request);
  expect(cold.status).toBe(200);
  expect(compareOutputs(cold.json as unknown as JsonAnswer, DIGITS.expected)).toEqual([]);
  expect(Number(cold.headers['pilotlight-cold-start'])).toBeGreaterThan(0);
  expect(cold.headers).toMatchObject({ 'pilotlight-revision': 'digits-00001' });
  expect(suite.podsOf('digits')).toHaveLength(1);

  const warm = await suite.infer('digits', DIGITS.request);
  expect(compareOutputs(warm.json as unknown as JsonAnswer, DIGITS.expected)).toEqual([]);
  expect(warm.headers).not.toHaveProperty('pilotlight-cold-start');
  process.stdout.write(`The first request took ${Math.round(cold.totalMilliseconds)} ms.\n`);
});

test('its pod stays for the stable window after the last request, and is then gone', async () => {
  const answer = await suite.infer('digits', DIGITS.request);
  const answeredAt = Date.now();
  expect(answer.status).toBe(200);
  await suite.untilNoPods('digits');
  const seconds = (Date.now() - answeredAt) / 1000;
  process.stdout.write(`The pod was gone ${seconds.toFixed(1)} s after the last request.\n`);
  expect(seconds).toBeGreaterThan(STABLE_WINDOW_SECONDS - 1);
  expect(seconds).toBeLessThan(GONE_WITHIN_SECONDS);
});

test('what it knows of the model outlives the pods', async () => {
  const { status } = await suite.untilReady('digits');
  expect(status?.model).toMatchObject({
    sizeBytes: DIGITS.model.length,
    inputs: [{ name: 'pixels' }],
    outputs: [{ name: 'label' }, { name: 'probabilities' }],
  });
});
