import { describe, expect, test } from '@jest/globals';
import { controllerReference } from '../cluster/controller-reference.ts';
import type { ObjectMeta } from '../cluster/port.ts';
import type { Service } from '../cluster/resources.ts';
import { modelFunction } from '../controllers/object-fixtures.ts';
import { buildServices } from './build-services.ts';
import { planServices } from './plan-services.ts';

const fn = modelFunction();
const [wanted, next] = buildServices(fn, ['next'], 'gateway.system.svc.cluster.local') as [Service, Service];

/** As an API server would have stored it. */
function stored(service: Service, metadata: Partial<ObjectMeta> = {}, spec: object = {}): Service {
  const ports = service.spec?.ports?.map((port) => ({ ...port, protocol: 'TCP', targetPort: port.port })) ?? [];
  return {
    ...service,
    metadata: { ...service.metadata, uid: 'uid', resourceVersion: '7', ...metadata },
    spec: { sessionAffinity: 'None', ...service.spec, ports, ...spec },
  };
}

const owner = controllerReference(fn);
const foreignLabels = { labels: { app: 'theirs' }, ownerReferences: [] };

const summary = (
  existing: readonly Service[],
  all: readonly Service[] = [wanted],
): Record<string, readonly string[]> => {
  const { create, update, remove, foreign } = planServices(fn, all, existing);
  const names = (services: readonly Service[]): string[] => services.map(({ metadata }) => metadata.name);
  const plan = { create: names(create), update: names(update), remove: names(remove), foreign };
  return Object.fromEntries(Object.entries(plan).filter(([, value]) => value.length > 0));
};

describe('a function’s Service that is', () => {
  test.each<[string, readonly Service[], Record<string, readonly string[]>]>([
    ['not there is created', [], { create: ['digits'] }],
    ['as wanted is let be', [stored(wanted)], {}],
    ['labelled by others too is let be', [stored(wanted, { labels: { ...wanted.metadata.labels, team: 'a' } })], {}],
    [
      'of another type is updated',
      [stored(wanted, {}, { type: 'ClusterIP', clusterIP: '10.96.0.1' })],
      { update: ['digits'] },
    ],
    ['led elsewhere is updated', [stored(wanted, {}, { externalName: 'example.com' })], { update: ['digits'] }],
    ['without its labels is updated', [stored(wanted, { labels: {} })], { update: ['digits'] }],
    ['without its owner is taken back', [stored(wanted, { ownerReferences: [] })], { update: ['digits'] }],
    [
      'not held by its owner any more is updated',
      [stored(wanted, { ownerReferences: [{ ...owner, controller: false }] })],
      { update: ['digits'] },
    ],
    ['being deleted is waited for', [stored(wanted, { deletionTimestamp: '2026-01-01T00:00:00Z' })], {}],
    ['a former function’s is waited for', [stored(wanted, { ownerReferences: [{ ...owner, uid: 'former' }] })], {}],
    ['somebody else’s is named', [stored(wanted, foreignLabels)], { foreign: ['digits'] }],
    [
      'another controller’s is named',
      [stored(wanted, { ownerReferences: [{ ...owner, kind: 'Other', uid: 'other' }] })],
      { foreign: ['digits'] },
    ],
    ['of a former tag is deleted', [stored(wanted), stored(next)], { remove: ['next--digits'] }],
    [
      'of a former tag and without an owner is deleted',
      [stored(wanted), stored(next, { ownerReferences: [] })],
      { remove: ['next--digits'] },
    ],
    [
      'labelled like ours and owned by another is let be',
      [stored(wanted), stored(next, { ownerReferences: [{ ...owner, uid: 'other' }] })],
      {},
    ],
  ])('%s', (_name, existing, plan) => {
    expect(summary(existing)).toEqual(plan);
  });

  test('not to be there at all is deleted, and somebody else’s then stands in no way', () => {
    expect(summary([stored(wanted)], [])).toEqual({ remove: ['digits'] });
    expect(summary([stored(wanted, foreignLabels)], [])).toEqual({});
  });
});

test('what is put right is what was wrong: the spec whole, labels and owners beside those of others', () => {
  const other = { apiVersion: 'v1', kind: 'ConfigMap', name: 'other', uid: 'other' };
  const ours = { 'pilotlight.dev/function': 'digits', 'app.kubernetes.io/managed-by': 'pilotlight-operator' };
  const edited = stored(
    wanted,
    { labels: { ...ours, team: 'a' }, ownerReferences: [other, { ...owner, controller: false }] },
    { type: 'ClusterIP', clusterIP: '10.96.0.1' },
  );
  expect(planServices(fn, [wanted], [edited]).update).toEqual([
    {
      ...wanted,
      metadata: {
        ...edited.metadata,
        labels: { team: 'a', ...wanted.metadata.labels },
        ownerReferences: [other, owner],
      },
    },
  ]);
  const relabelled = stored(wanted, { labels: {} }, { sessionAffinity: 'ClientIP' });
  expect(planServices(fn, [wanted], [relabelled]).update[0]?.spec).toEqual(relabelled.spec);
});
