import { expect, test } from '@jest/globals';
import { ControlLoop, SHORT_SCALING } from './control-loop-fixture.ts';

test('gateways are told which pod is one too many, until it goes or is wanted again', async () => {
  const loop = await new ControlLoop().start();
  const scaling = { ...SHORT_SCALING, maxReplicas: 5, target: 1 };
  await loop.apply('digits', { scaling: { ...scaling, minReplicas: 2 } });
  for (const ordinal of [0, 1]) await loop.announce(`digits-00001-${ordinal}`);
  const spare = (): (boolean | undefined)[] =>
    loop.routes.get('digits')?.revisions[0]?.pods.map((pod) => pod.spare) ?? [];
  expect(spare()).toEqual([undefined, undefined]);

  for (const ordinal of [0, 1]) loop.drains.set(`digits-00001-${ordinal}`, 'Busy');
  await loop.demand('digits-00001', { inFlight: 1 });
  await loop.walk(10);
  await loop.apply('digits', { scaling });
  await loop.walk(10);
  expect(spare()).toEqual([undefined, true]);

  await loop.demand('digits-00001', { inFlight: 2 });
  await loop.walk(10);
  expect(spare()).toEqual([undefined, undefined]);
  await loop.close();
});
