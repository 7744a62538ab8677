/** The Services of functions, with everything that watches, people and other controllers do to them. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { LABELS } from '../../common/api/names.ts';
import type { MemoryClusterOptions } from '../cluster/memory/memory-cluster.ts';
import { ClusterError } from '../cluster/port.ts';
import { EVENTS, MODEL_FUNCTIONS, SERVICES, type Service } from '../cluster/resources.ts';
import { ControlLoop, NAMESPACE, SHORT_SCALING } from './control-loop-fixture.ts';

const HOST = 'pilotlight-gateway.pilotlight-system.svc.cluster.local';
const foreign: Service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { namespace: NAMESPACE, name: 'digits' },
  spec: { ports: [{ port: 80 }] },
};

let loop: ControlLoop;

async function start(options: Partial<MemoryClusterOptions> = {}): Promise<void> {
  loop = await new ControlLoop(options).start();
}

/** `digits -> pilotlight-gateway…` */
async function services(): Promise<string[]> {
  const all = await loop.cluster.list(SERVICES);
  return all.map(({ metadata, spec }) => `${metadata.name} -> ${spec?.externalName ?? spec?.type}`).sort();
}

async function service(name = 'digits'): Promise<Service> {
  const found = await loop.cluster.get(SERVICES, { namespace: NAMESPACE, name });
  if (found === undefined) throw new Error(`There is no Service ${name}.`);
  return found;
}

afterEach(() => loop.close());

test('a function has a Service from the start, one more for each tag, and takes them along', async () => {
  await start();
  await loop.apply('digits', { scaling: SHORT_SCALING });
  expect(await services()).toEqual([`digits -> ${HOST}`]);
  await loop.announce('digits-00001-0');
  const traffic = [
    { revision: 'latest', percent: 100 },
    { revision: 'digits-00001', percent: 0, tag: 'old' },
  ];
  await loop.apply('digits', { scaling: SHORT_SCALING, traffic });
  expect(await services()).toEqual([`digits -> ${HOST}`, `old--digits -> ${HOST}`]);
  await loop.apply('digits', { scaling: SHORT_SCALING });
  expect(await services()).toEqual([`digits -> ${HOST}`]);
  await loop.delete('digits');
  expect(await services()).toEqual([]);
});

test('a tag keeps its name while traffic stays as it was', async () => {
  await start();
  await loop.apply('digits', { scaling: SHORT_SCALING, traffic: [{ revision: 'latest', percent: 100, tag: 'now' }] });
  await loop.announce('digits-00001-0');
  await loop.apply('digits', { scaling: SHORT_SCALING, traffic: [{ revision: 'digits-00009', percent: 100 }] });
  expect(await loop.condition('function', 'digits', 'TrafficAssigned')).toMatch(/^False RevisionMissing/);
  expect(await services()).toContain(`now--digits -> ${HOST}`);
});

describe('a Service that somebody', () => {
  test.each<[string, (service: Service) => Service]>([
    ['led elsewhere', (it) => ({ ...it, spec: { ...it.spec, externalName: 'example.com' } })],
    ['gave an address', (it) => ({ ...it, spec: { ports: [{ port: 80 }], selector: { app: 'theirs' } } })],
    ['stripped of its labels', (it) => ({ ...it, metadata: { ...it.metadata, labels: {} } })],
    ['stripped of its owner', (it) => ({ ...it, metadata: { ...it.metadata, ownerReferences: [] } })],
  ])('%s is put right', async (_name, edit) => {
    await start();
    await loop.apply('digits', { scaling: SHORT_SCALING });
    const before = await service();
    await loop.cluster.update(SERVICES, edit(before));
    await loop.settle();
    const { metadata, ...after } = await service();
    expect({ ...after, metadata: { ...metadata, resourceVersion: '' } }).toEqual({
      ...before,
      metadata: { ...before.metadata, resourceVersion: '' },
    });
  });

  test('deleted is made again, also where nobody looked', async () => {
    await start();
    await loop.apply('digits', { scaling: SHORT_SCALING });
    await loop.cluster.delete(SERVICES, { namespace: NAMESPACE, name: 'digits' });
    await loop.settle();
    expect(await services()).toEqual([`digits -> ${HOST}`]);
    await loop.follow();
    await loop.cluster.delete(SERVICES, { namespace: NAMESPACE, name: 'digits' });
    await loop.settle();
    expect(await services()).toEqual([]);
    await loop.lead();
    expect(await services()).toEqual([`digits -> ${HOST}`]);
  });
});

test('a Service that was stripped of its labels while no operator ran is put right', async () => {
  await start();
  await loop.apply('digits', { scaling: SHORT_SCALING });
  const { metadata, ...before } = await service();
  await loop.restart(async () => {
    await loop.cluster.update(SERVICES, { ...before, metadata: { ...metadata, labels: {} } });
  });
  expect((await service()).metadata).toEqual({ ...metadata, resourceVersion: expect.any(String) });
});

test('a Service of a former tag goes also if it says that it is another function’s', async () => {
  await start();
  await loop.apply('digits', { scaling: SHORT_SCALING, traffic: [{ revision: 'latest', percent: 100, tag: 'now' }] });
  const tagged = await service('now--digits');
  const labels = { ...tagged.metadata.labels, [LABELS.function]: 'letters' };
  await loop.restart(async () => {
    await loop.cluster.update(SERVICES, { ...tagged, metadata: { ...tagged.metadata, labels } });
    await loop.write('digits', { scaling: SHORT_SCALING });
  });
  expect(await services()).toEqual([`digits -> ${HOST}`]);
});

describe('somebody else’s Service', () => {
  test('is untouched, named in the status and an event, and stands in no call’s way by path', async () => {
    await start();
    const theirs = await loop.cluster.create(SERVICES, foreign);
    await loop.apply('digits', { scaling: SHORT_SCALING });
    await loop.announce('digits-00001-0');
    const message =
      "Service digits exists and is somebody else's, so calls to http://digits.default do not come here. Delete it, or choose another name " +
      'for the function or its tag. The path /functions/default/digits of the gateway serves meanwhile';
    for (const type of ['Ready', 'TrafficAssigned']) {
      expect(await loop.condition('function', 'digits', type)).toBe(`False NotOwned: ${message}`);
    }
    expect(await loop.condition('function', 'digits', 'Stalled')).toMatch(/^True NotOwned/);
    expect(await loop.condition('function', 'digits', 'Active')).toMatch(/^True/);
    expect(loop.routes.get('digits')?.traffic).toEqual([{ revision: 'digits-00001', percent: 100 }]);
    expect(await service()).toEqual(theirs);
    const events = (await loop.cluster.list(EVENTS)).filter(({ reason }) => reason === 'NotOwned');
    expect(events).toMatchObject([{ type: 'Warning', message, involvedObject: { kind: 'ModelFunction' } }]);
  });

  test('is given up for ours within 30 s of its end', async () => {
    await start();
    await loop.cluster.create(SERVICES, foreign);
    await loop.apply('digits', { scaling: SHORT_SCALING });
    await loop.announce('digits-00001-0');
    await loop.cluster.delete(SERVICES, foreign.metadata);
    await loop.walk(30);
    expect(await services()).toEqual([`digits -> ${HOST}`]);
    expect(await loop.condition('function', 'digits', 'Ready')).toBe('True Ready: Calls are served');
  });

  test('is not told of while it is being deleted, and then followed by ours', async () => {
    await start();
    const held = { ...foreign, metadata: { ...foreign.metadata, finalizers: ['load-balancer/cleanup'] } };
    await loop.cluster.create(SERVICES, held);
    await loop.cluster.delete(SERVICES, foreign.metadata);
    await loop.apply('digits', { scaling: SHORT_SCALING });
    expect(await loop.condition('function', 'digits', 'Stalled')).toBe('none');
    const ending = await service();
    await loop.cluster.update(SERVICES, { ...ending, metadata: { ...ending.metadata, finalizers: [] } });
    await loop.walk(30);
    expect(await services()).toEqual([`digits -> ${HOST}`]);
  });

  test('is not watched', async () => {
    let told = 0;
    await start({
      faults: {
        delivery: ({ resource }) => {
          if (resource.endsWith('/Service')) told += 1;
          return undefined;
        },
      },
    });
    await loop.cluster.create(SERVICES, foreign);
    await loop.cluster.create(SERVICES, { ...foreign, metadata: { namespace: NAMESPACE, name: 'other' } });
    await loop.settle();
    expect(told).toBe(0);
    await loop.apply('letters', { scaling: SHORT_SCALING });
    expect(told).toBe(1);
  });

  test('of a tag’s name is named too', async () => {
    await start();
    await loop.cluster.create(SERVICES, { ...foreign, metadata: { namespace: NAMESPACE, name: 'now--digits' } });
    await loop.cluster.create(SERVICES, foreign);
    await loop.apply('digits', { scaling: SHORT_SCALING, traffic: [{ revision: 'latest', percent: 100, tag: 'now' }] });
    expect(await loop.condition('function', 'digits', 'Ready')).toMatch(
      /^False NotOwned: Services digits, now--digits exist and are/,
    );
    await loop.cluster.delete(SERVICES, foreign.metadata);
    await loop.walk(30);
    expect(await loop.condition('function', 'digits', 'Ready')).toMatch(/^False NotOwned: Service now--digits exists/);
  });

  test('that takes the name in the moment in which it was free is seen', async () => {
    await start();
    await loop.apply('digits', { scaling: SHORT_SCALING });
    await loop.announce('digits-00001-0');
    void loop.cluster.delete(SERVICES, foreign.metadata);
    const theirs = await loop.cluster.create(SERVICES, foreign);
    await loop.walk(1);
    expect(await service()).toEqual(theirs);
    expect(await loop.condition('function', 'digits', 'Ready')).toMatch(/^False NotOwned/);
  });
});

test('a Service of a former function of the name is not touched, and followed by ours', async () => {
  await start();
  await loop.apply('digits', { scaling: SHORT_SCALING });
  const { uid } = (await service()).metadata;
  await loop.cluster.delete(MODEL_FUNCTIONS, { namespace: NAMESPACE, name: 'digits' });
  await loop.apply('digits', { scaling: SHORT_SCALING });
  await loop.walk(1);
  expect(await services()).toEqual([`digits -> ${HOST}`]);
  expect((await service()).metadata.uid).not.toBe(uid);
});

test('a Service that is refused is told, tried again now and then, and keeps no pod from starting', async () => {
  let refuses = true;
  let asked = 0;
  const message = 'services "digits" is forbidden: exceeded quota: names, requested: services=1, used: 9, limited: 9';
  await start({
    faults: {
      call: ({ verb, resource }) => {
        if (verb !== 'create' || !resource.endsWith('/Service')) return undefined;
        asked += 1;
        return refuses ? new ClusterError('Forbidden', message, { status: 403 }) : undefined;
      },
    },
  });
  await loop.apply('digits', { scaling: SHORT_SCALING });
  expect(await loop.pods()).toEqual(['digits-00001-0']);
  await loop.announce('digits-00001-0');
  expect(await loop.condition('function', 'digits', 'Ready')).toBe(`False QuotaExceeded: ${message}`);
  const before = asked;
  await loop.walk(25);
  expect(asked - before).toBeLessThanOrEqual(3);
  refuses = false;
  await loop.walk(31);
  expect(await loop.condition('function', 'digits', 'Ready')).toMatch(/^True/);
});

test('no Service is made for a function that is gone, though no watch but that of Services says so yet', async () => {
  const made: string[] = [];
  await start({
    faults: {
      delivery: ({ resource }) =>
        /ModelFunction|ModelRevision/.test(resource) ? { type: 'Delayed', milliseconds: 3000 } : undefined,
      call: ({ verb, resource }) => {
        if (verb === 'create' && resource.endsWith('/Service')) made.push(resource);
        return made.length > 20 ? new ClusterError('Unavailable', 'Enough') : undefined;
      },
    },
  });
  await loop.apply('digits', { scaling: SHORT_SCALING });
  await loop.walk(4);
  made.length = 0;
  await loop.delete('digits');
  await loop.walk(5);
  expect(made).toEqual([]);
});
