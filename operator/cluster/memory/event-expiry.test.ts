import { expect, test } from '@jest/globals';
import { EVENTS, type Event } from '../resources.ts';
import { testCluster } from './test-cluster.ts';

test('an event lives an hour from its last write', async () => {
  const { cluster, clock, settle } = testCluster();
  await cluster.create(EVENTS, event('old'));
  const counted = await cluster.create(EVENTS, event('counted'));
  await clock.advance(1_800_000);
  await cluster.update(EVENTS, { ...counted, count: 2 });
  await clock.advance(1_800_000);
  await cluster.create(EVENTS, event('new'));
  await settle();
  expect((await cluster.list(EVENTS)).map(({ metadata }) => metadata.name)).toEqual(['counted', 'new']);
  await clock.advance(1_800_000);
  await cluster.create(EVENTS, event('newest'));
  await settle();
  expect((await cluster.list(EVENTS)).map(({ metadata }) => metadata.name)).toEqual(['new', 'newest']);
});

function event(name: string): Event {
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name, namespace: 'default' },
    involvedObject: { apiVersion: 'v1', kind: 'Pod', namespace: 'default', name: 'a' },
    type: 'Normal',
    reason: 'Tested',
    message: 'Tested',
  };
}
