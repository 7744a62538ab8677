import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { PODS } from '../cluster/resources.ts';
import { ControlLoop } from './control-loop-fixture.ts';

let loop: ControlLoop;

beforeEach(async () => {
  loop = await new ControlLoop().start();
  await loop.apply('digits', { scaling: { maxReplicas: 5, target: 1 } });
  await loop.walk(1);
  await loop.announce('digits-00001-0');
  await loop.walk(2);
});

afterEach(() => loop.close());

test('who follows makes neither revisions nor pods, and what came meanwhile is done by who leads', async () => {
  await loop.follow();
  const before = await loop.cluster.list(PODS);
  await loop.demand('digits-00001', { inFlight: 4 });
  await loop.walk(10);
  await loop.apply('other');
  await loop.walk(10);
  expect(await loop.pods()).toEqual(before.map(({ metadata }) => metadata.name));
  expect(await loop.revisions()).toEqual(['digits-00001']);

  await loop.lead();
  // Its windows were full: no first look at the demand is needed.
  expect((await loop.pods()).filter((name) => name.startsWith('digits'))).toHaveLength(4);
  expect(await loop.revisions()).toEqual(['digits-00001', 'other-00001']);
});

test('who follows shows no numbers of revisions, and keeps the routes up to date', async () => {
  expect(await loop.registry.metrics()).toContain('pilotlight_desired_replicas{');
  await loop.follow();
  expect(await loop.registry.metrics()).not.toContain('pilotlight_desired_replicas{');
  await loop.cluster.delete(PODS, { namespace: 'default', name: 'digits-00001-0' });
  await loop.walk(1);
  expect(loop.routes.get('digits')?.revisions.flatMap(({ pods }) => pods)).toEqual([]);
  expect(await loop.pods()).toEqual([]);
});

test('who loses the lead in the middle of a change shows no numbers after it either', async () => {
  let onCreate = (): void => undefined;
  const losing = new ControlLoop({
    faults: {
      call: ({ verb, resource }) => {
        if (verb === 'create' && resource === 'v1/Pod') onCreate();
        return undefined;
      },
    },
  });
  try {
    await losing.start();
    onCreate = () => void losing.follow();
    await losing.apply('digits');
    await losing.walk(2);
    expect(await losing.pods()).toEqual(['digits-00001-0']);
    expect(await losing.registry.metrics()).not.toContain('pilotlight_desired_replicas{');
    await losing.lead();
    expect(await losing.registry.metrics()).toContain('pilotlight_desired_replicas{');
  } finally {
    await losing.close();
  }
});
