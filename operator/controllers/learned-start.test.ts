import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { PODS } from '../cluster/resources.ts';
import { ControlLoop } from './control-loop-fixture.ts';

let loop: ControlLoop;

beforeEach(async () => {
  loop = await new ControlLoop().start();
  await loop.apply('digits', { scaling: { minReplicas: 1, maxReplicas: 5, target: 1 } });
});

afterEach(() => loop.close());

async function learned(): Promise<{ status: number | undefined; route: number | undefined }> {
  const { status } = await loop.revision('digits-00001');
  return { status: status?.startMilliseconds, route: loop.routes.get('digits')?.revisions[0]?.startSeconds };
}

test('what a start took is told to people and to gateways, once a pod is ready', async () => {
  await loop.walk(20);
  expect(await learned()).toEqual({ status: undefined, route: undefined });
  await loop.announce('digits-00001-0');
  expect(await learned()).toEqual({ status: 20_000, route: 20 });
});

test('the next operator knows it, and does not take a pod that it finds ready for a start', async () => {
  await loop.walk(20);
  await loop.announce('digits-00001-0');
  await loop.restart();
  await loop.walk(40);
  expect(await learned()).toEqual({ status: 20_000, route: 20 });
});

test('a pod that had to wait for something says nothing about the next one', async () => {
  await loop.walk(10);
  const pod = await loop.pod('digits-00001-0');
  const unschedulable = {
    type: 'PodScheduled',
    status: 'False',
    reason: 'Unschedulable',
    message: '0/1 nodes',
  } as const;
  const { namespace = '', name } = pod.metadata;
  await loop.cluster.patchStatus(PODS, { namespace, name }, { conditions: [unschedulable] });
  await loop.walk(10);
  await loop.cluster.patchStatus(PODS, { namespace, name }, { conditions: [{ ...unschedulable, status: 'True' }] });
  await loop.walk(10);
  await loop.announce('digits-00001-0');
  expect(await loop.condition('revision', 'digits-00001', 'Ready')).toContain('True');
  expect(await learned()).toEqual({ status: undefined, route: undefined });
});
