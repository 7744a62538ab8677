import { expect, test } from '@jest/globals';
import { ManualClock } from '../../common/platform/manual-clock.ts';
import { Capacity, type Want } from './capacity.ts';

const GPU = 'nvidia.com/gpu';

function ofOneGpu(): Capacity {
  return new Capacity({
    budgets: [{ resource: GPU, namespace: undefined, limit: 1 }],
    clock: new ManualClock(),
    activityOf: () => ({ requests: 1, isCalled: true, isSilent: false }),
    onChange: () => undefined,
  });
}

function want(own: Partial<Want> = {}): Want {
  const has = { living: 0, terminating: 0, proven: true, wokenAt: undefined };
  return { namespace: 'models', priority: 0, needs: { [GPU]: 1 }, wanted: 1, ...has, ...own };
}

test('what was granted and is being made is not granted a second time, however high the other’s priority', () => {
  const capacity = ofOneGpu();
  expect(capacity.claim('models/a', want()).granted).toBe(1);
  expect(capacity.claim('models/b', want({ priority: 1 })).granted).toBe(0);
  capacity.settled('models/a', { living: 0, terminating: 0 });
  expect(capacity.allocation('models/b')?.granted).toBe(1);
  capacity.clear();
});

test('who is expected stands in line before the first that claims', () => {
  const capacity = ofOneGpu();
  capacity.expect('models/high', want({ priority: 1 }));
  expect(capacity.claim('models/low', want()).granted).toBe(0);
  expect(capacity.claim('models/high', want({ priority: 1 })).granted).toBe(1);
  capacity.clear();
});
