import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { MODEL_REVISIONS, NETWORK_POLICIES, SERVICES, type NetworkPolicy } from '../../operator/cluster/resources.ts';
import { DIGITS } from '../local/examples.ts';
import { modelFunction } from './support/manifests.ts';
import { applyObjects, deleteObject, getObject, patchObject } from './support/objects.ts';
import { startSuite, type Suite } from './support/suite.ts';

jest.setTimeout(120_000);

let suite: Suite;
beforeAll(async () => {
  suite = await startSuite('owned-objects');
  await suite.apply(modelFunction('digits', { scaling: { minReplicas: 1, maxReplicas: 1 } }));
  await suite.untilReady('digits');
});
afterAll(() => suite.close());

test('a pod that somebody deletes is replaced, and meanwhile no request fails', async () => {
  const [before] = suite.podsOf('digits');
  const load = await suite.client.load({ request: suite.inference('digits', DIGITS.request), concurrency: 2 });
  await load.until({ ended: 20 });
  await suite.kubectl('delete', 'pod', before!.metadata.name, '--wait=false');
  await suite.pods.until('another pod is ready', (pods) =>
    pods.find(
      ({ metadata, status }) =>
        metadata.uid !== before!.metadata.uid &&
        status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True'),
    ),
  );
  await load.until({ ended: 20 });
  const { outcomes, sent } = await load.stop();
  expect(outcomes).toEqual({ '200': sent });
});

test('a revision that somebody deletes is made again', async () => {
  const revisions = await suite.watch(MODEL_REVISIONS);
  const [before] = revisions.objects;
  await suite.kubectl('delete', 'modelrevision', 'digits-00001', '--wait=false');
  await revisions.until('there is another revision', (all) =>
    all.find(({ metadata }) => metadata.uid !== before!.metadata.uid && metadata.deletionTimestamp === undefined),
  );
  await suite.untilReady('digits');
  expect((await suite.infer('digits', DIGITS.request)).status).toBe(200);
});

test('"kubectl scale" of a revision does not last: people scale by minReplicas and maxReplicas', async () => {
  const { status } = await suite.untilReady('digits');
  const revision = status?.latestReadyRevision ?? '';
  const before = new Set(suite.podsOf('digits').map(({ metadata }) => metadata.uid));
  const revisions = await suite.watch(MODEL_REVISIONS);
  await suite.kubectl('scale', `modelrevision/${revision}`, '--replicas=3');
  await revisions.untilSeen('the change was seen', ({ spec }) => spec.replicas === 3);
  await revisions.until('its replicas are as decided again', (all) =>
    all.find(({ metadata, spec }) => metadata.name === revision && spec.replicas === 1),
  );
  expect(suite.podsOf('digits').filter(({ metadata }) => !before.has(metadata.uid))).toEqual([]);
});

test('a Service that somebody edits, strips of its labels or deletes is as before, and calls reach the function by it', async () => {
  const key = { namespace: suite.namespace, name: 'digits' };
  const services = await suite.watch(SERVICES);
  const wanted = (await getObject(SERVICES, key))!.spec?.externalName;
  await patchObject(SERVICES, key, { spec: { externalName: 'elsewhere.example' } });
  await services.untilSeen('the edit was seen', ({ spec }) => spec?.externalName === 'elsewhere.example');
  await services.until('the edit is undone', (all) =>
    all.find(({ metadata, spec }) => metadata.name === 'digits' && spec?.externalName === wanted),
  );
  const { labels = {}, uid } = (await getObject(SERVICES, key))!.metadata;
  const none = Object.fromEntries(Object.keys(labels).map((label) => [label, null]));
  await patchObject(SERVICES, key, { metadata: { labels: none } });
  await services.untilSeen('the loss of its labels was seen', ({ metadata }) => metadata.labels === undefined);
  await services.until('it has its labels again', (all) =>
    all.find(({ metadata }) => metadata.uid === uid && isDeepStrictEqual(metadata.labels, labels)),
  );
  await deleteObject(SERVICES, key);
  await services.until('the Service is there again', (all) =>
    all.find(({ metadata }) => metadata.name === 'digits' && metadata.uid !== uid),
  );
  expect((await suite.infer('digits', DIGITS.request)).status).toBe(200);
});

test('a NetworkPolicy that somebody edits or deletes is as before', async () => {
  const key = { namespace: suite.namespace, name: 'pilotlight-runtime' };
  const policies = await suite.watch(NETWORK_POLICIES);
  const wanted = policies.objects[0]?.spec;
  const isAsWanted = ({ spec }: NetworkPolicy): boolean => isDeepStrictEqual(spec, wanted);
  await patchObject(NETWORK_POLICIES, key, { spec: { ingress: [] } });
  await policies.untilSeen('the edit was seen', (policy) => !isAsWanted(policy));
  const { uid } = (await policies.until('the edit is undone', (all) => all.find(isAsWanted))).metadata;
  await deleteObject(NETWORK_POLICIES, key);
  await policies.until('the policy is there again', (all) =>
    all.find((policy) => policy.metadata.uid !== uid && isAsWanted(policy)),
  );
});

test("somebody else's Service of the function's name stays as it is, and the function says what it costs", async () => {
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace: suite.namespace, name: 'taken' },
    spec: { type: 'ExternalName', externalName: 'theirs.example' },
  };
  await applyObjects(service);
  await suite.apply(modelFunction('taken'));
  const fn = await suite.untilFunction('taken', 'says that its name is taken', (now) =>
    (now.status?.conditions ?? []).some(({ reason, status }) => reason === 'NotOwned' && status === 'False'),
  );
  const found = (fn.status?.conditions ?? []).find(({ reason }) => reason === 'NotOwned');
  expect(found?.message).toMatch(/Service taken exists and is somebody else's.*Delete it/);
  const { spec, metadata } = (await getObject(SERVICES, service.metadata))!;
  expect(spec?.externalName).toBe('theirs.example');
  expect(metadata).not.toHaveProperty('ownerReferences');

  await deleteObject(SERVICES, service.metadata);
  await suite.untilFunction('taken', 'is reached by its name', (now) =>
    (now.status?.conditions ?? []).every(({ reason }) => reason !== 'NotOwned'),
  );
  expect((await suite.infer('taken', DIGITS.request)).status).toBe(200);
});

test("somebody else's pod of a replica's name is stepped over and stays", async () => {
  const name = 'stepped-00001-0';
  await applyObjects({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace: suite.namespace, name },
    spec: {
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      // It stays Pending: all that matters is its name.
      schedulingGates: [{ name: 'pilotlight.dev/test' }],
      containers: [
        {
          name: 'theirs',
          image: 'none',
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        },
      ],
    },
  });
  await suite.apply(modelFunction('stepped', { scaling: { minReplicas: 1 } }));
  await suite.untilReady('stepped');
  expect(suite.podsOf('stepped').map(({ metadata }) => metadata.name)).toEqual(['stepped-00001-1']);
  expect(await suite.kubectl('get', 'pod', name, '-o=name')).toBe(`pod/${name}\n`);
});
