import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { MODEL_FUNCTION_DEFINITION } from '../../common/api/generated/model-function-definition.ts';
import type { Adjustment } from '../../operator/autoscaler/adjustments/adjustment.ts';
import { replicasToClear } from '../../operator/autoscaler/adjustments/clears-in-time.ts';
import { decideKpa } from '../../operator/autoscaler/kpa/decide-kpa.ts';
import { kpaSettings } from '../../operator/autoscaler/kpa/kpa-settings.ts';
import { revisionWith } from '../../operator/autoscaler/scaling-fixture.ts';
import { BucketRing } from '../../operator/autoscaler/windows/bucket-ring.ts';
import { linearAverage, weightedAverage } from '../../operator/autoscaler/windows/window-average.ts';
import { allocate } from '../../operator/capacity/allocate.ts';
import { readPage, tableBelow } from '../markdown.ts';

const page = readPage('reference/scaling.md');
const ADJUSTMENTS = join(import.meta.dirname, '../../operator/autoscaler/adjustments');

test('lists the knobs of the API with its defaults and bounds', () => {
  const { properties = {} } =
    MODEL_FUNCTION_DEFINITION.spec.versions[0]!.schema.openAPIV3Schema.properties!['spec']!.properties!['scaling']!;
  const text = (value: unknown): string =>
    typeof value === 'number' || typeof value === 'string' ? String(value) : '';
  expect(tableBelow(page, '## Knobs').map((cells) => cells.slice(0, 4))).toEqual(
    Object.entries(properties).map(([name, field]) => [
      name,
      text(field.default),
      text(field.minimum),
      text(field.maximum),
    ]),
  );
});

test('names every adjustment', async () => {
  const files = readdirSync(ADJUSTMENTS).filter((name) => !name.endsWith('.test.ts'));
  const modules = await Promise.all(files.map((name) => import(join(ADJUSTMENTS, name)) as Promise<object>));
  const reasons = modules
    .flatMap((module) => Object.values(module) as unknown[])
    .filter((value): value is Adjustment => typeof value === 'object' && value !== null && 'reason' in value)
    .map(({ reason }) => reason);
  expect(
    tableBelow(page, '## Adjustments')
      .map(([name]) => name)
      .sort(),
  ).toEqual(reasons.sort());
});

test.each(tableBelow(page, '## Start time'))(
  'a start of %s s, %s requests, %s a second, work %s, target %s, patience %s: %s are enough',
  (...cells) => {
    const [startSeconds, requests, rate, work, target, patienceSeconds] = cells.map(Number);
    const enough = cells[6] === '' ? undefined : Number(cells[6]);
    const { scaling } = revisionWith({ scaling: { target: target! } });
    const backlog = { scaling, startSeconds: startSeconds!, requests: requests!, arrivalRate: rate! };
    const known = { ...backlog, podSecondsPerRequest: work!, patienceSeconds: patienceSeconds! };
    expect(replicasToClear(known)).toBe(enough);
  },
);

test('budgets grant what the example says', () => {
  const resource = 'nvidia.com/gpu';
  const rows = tableBelow(page, '## Budgets');
  const claims = rows.map(([key = '', ...cells]) => {
    const [priority, need, wanted, living, busy] = cells.map(Number);
    const has = { living: living!, busy: busy!, terminating: 0 };
    const wants = { namespace: 'models', priority: priority!, needs: { [resource]: need! }, wanted: wanted! };
    return { key, ...wants, ...has, standing: 'Called' as const, waitingSince: 0 };
  });
  const held = claims.reduce((sum, { living, needs }) => sum + living * needs[resource], 0);
  const got = allocate(claims, [{ resource, namespace: undefined, limit: 6, held }]);
  expect(
    rows.map(([key = '']) => [key, String(got.get(key)?.granted), String(got.get(key)?.waiting?.position ?? '')]),
  ).toEqual(rows.map((cells) => [cells[0], cells[6], cells[7]]));
});

const calm = { panicSince: undefined, panicPeak: 0, delay: [] };

test.each(tableBelow(page, '#### Rates of steps'))(
  'of %s ready, %s asked for, rates %s and %s: %s',
  (ready, asked, maxScaleUpRatePercentage, maxScaleDownRatePercentage, desired) => {
    const scaling = {
      maxScaleUpRatePercentage: Number(maxScaleUpRatePercentage),
      maxScaleDownRatePercentage: Number(maxScaleDownRatePercentage),
    };
    const average = 8 * Number(asked);
    const observation = { readyReplicas: Number(ready), averages: { stable: average, panic: average } };
    expect(decideKpa(kpaSettings(revisionWith({ scaling })), observation, calm, 0).desired).toBe(Number(desired));
  },
);

test.each(tableBelow(page, '#### Averages'))(
  'the average of %s is %s, weighted %s',
  (seconds = '', linear, weighted) => {
    const ring = new BucketRing(6);
    const values = seconds.split(' ').map(Number);
    for (const [second, value] of values.entries()) ring.record(second, value);
    expect(linearAverage(ring, values.length - 1)).toBe(Number(linear));
    expect(weightedAverage(ring, values.length - 1)).toBeCloseTo(Number(weighted), 6);
  },
);

describe('worked examples', () => {
  test.each(tableBelow(page, '### Worked examples'))(
    '%s ready, averages %s and %s, activation %s: %s',
    (ready, stable, panic, activationReplicas, desired) => {
      const settings = kpaSettings(revisionWith({ scaling: { activationReplicas: Number(activationReplicas) } }));
      const observation = {
        readyReplicas: Number(ready),
        averages: { stable: Number(stable), panic: Number(panic) },
      };
      expect(decideKpa(settings, observation, calm, 0).desired).toBe(Number(desired));
    },
  );
});
