import { expect, test } from '@jest/globals';
import { planDeletion } from './deletion.ts';
import type { StoredObject } from './stored-object.ts';

const NOW = Date.UTC(2026, 0, 1);

interface Case {
  readonly kind?: string;
  readonly spec?: object;
  readonly phase?: string;
  readonly finalizers?: string[];
  readonly deleting?: number;
  readonly asked?: number;
  readonly want: 'Remove' | 'Nothing' | { readonly grace: number; readonly at: string };
}

const SCHEDULED = { nodeName: 'local', terminationGracePeriodSeconds: 20 };
const CASES: Record<string, Case> = {
  'a secret goes at once': { kind: 'Secret', want: 'Remove' },
  'a secret knows no grace': { kind: 'Secret', asked: 10, want: 'Remove' },
  'a secret with a finalizer is marked': { kind: 'Secret', finalizers: ['a/b'], want: { grace: 0, at: '00:00:00' } },
  'a marked secret is marked': { kind: 'Secret', finalizers: ['a/b'], deleting: 0, want: 'Nothing' },
  'a pod without a node goes at once': { spec: {}, want: 'Remove' },
  'a pod that failed goes at once': { spec: SCHEDULED, phase: 'Failed', want: 'Remove' },
  'a pod that succeeded goes at once': { spec: SCHEDULED, phase: 'Succeeded', want: 'Remove' },
  'a pod on a node gets its own grace': { spec: SCHEDULED, want: { grace: 20, at: '00:00:20' } },
  'a pod on a node gets 30 s if it says nothing': { spec: { nodeName: 'local' }, want: { grace: 30, at: '00:00:30' } },
  'a pod on a node gets what is asked': { spec: SCHEDULED, asked: 5, want: { grace: 5, at: '00:00:05' } },
  'a pod on a node goes by force': { spec: SCHEDULED, asked: 0, want: 'Remove' },
  'a pod that ends may end sooner': { spec: SCHEDULED, deleting: 20, asked: 5, want: { grace: 5, at: '00:00:05' } },
  'a pod that ends cannot end later': { spec: SCHEDULED, deleting: 20, asked: 30, want: 'Nothing' },
  'a pod that ends is not hurried by a plain deletion': { spec: SCHEDULED, deleting: 20, want: 'Nothing' },
  'a pod that ends goes when confirmed': { spec: SCHEDULED, deleting: 20, asked: 0, want: 'Remove' },
  'a finalizer holds a confirmed pod': {
    spec: SCHEDULED,
    finalizers: ['a/b'],
    deleting: 20,
    asked: 0,
    want: { grace: 0, at: '00:00:00' },
  },
};

test.each(Object.entries(CASES))('%s', (_name, { kind = 'Pod', spec, phase, finalizers, deleting, asked, want }) => {
  const object: StoredObject = {
    apiVersion: 'v1',
    kind,
    metadata: {
      name: 'a',
      uid: 'u',
      resourceVersion: '1',
      creationTimestamp: '2025-12-31T00:00:00Z',
      ...(finalizers && { finalizers }),
      ...(deleting !== undefined && {
        deletionTimestamp: new Date(NOW + deleting * 1000).toISOString(),
        deletionGracePeriodSeconds: deleting,
      }),
    },
    ...(spec && { spec }),
    ...(phase !== undefined && { status: { phase } }),
  };
  const plan = planDeletion(object, asked, NOW);
  if (typeof want === 'string') expect(plan).toEqual({ type: want });
  else
    expect(plan).toMatchObject({
      type: 'Mark',
      object: {
        metadata: { deletionGracePeriodSeconds: want.grace, deletionTimestamp: `2026-01-01T${want.at}Z` },
      },
    });
});

test('the first mark counts the generation up, where there is one', () => {
  const metadata = {
    name: 'a',
    uid: 'u',
    resourceVersion: '1',
    creationTimestamp: '',
    finalizers: ['a/b'],
    generation: 3,
  };
  expect(planDeletion({ apiVersion: 'x/v1', kind: 'Y', metadata }, undefined, NOW)).toMatchObject({
    object: { metadata: { generation: 4 } },
  });
});
