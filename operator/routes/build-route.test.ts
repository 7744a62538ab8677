import { describe, expect, test } from '@jest/globals';
import { viewFunction } from '../controllers/function-view.ts';
import { modelFunction, modelRevision, proven } from '../controllers/object-fixtures.ts';
import type { PodState } from '../pods/pod-state.ts';
import { buildRoute, type RevisionPods } from './build-route.ts';

const address = { host: '10.0.0.7', ports: { http: 8080, control: 9091 } };
const NONE: RevisionPods = { pods: [], failure: undefined, spare: new Set(), startMilliseconds: undefined };
const failure = { reason: 'ModelInvalid', message: 'No model' };

function pod(name: string, phase: PodState['phase'], more: Partial<PodState> = {}): PodState {
  return {
    name,
    uid: `uid-${name}`,
    phase,
    address,
    attempt: 0,
    createdAt: 0,
    failure: undefined,
    startDeadline: undefined,
    ...more,
  };
}

function revisionRoute(own: Partial<RevisionPods>): object | undefined {
  return buildRoute(viewFunction(modelFunction(), [modelRevision(1)]), () => ({ ...NONE, ...own })).revisions[0];
}

describe('the route of a revision', () => {
  test('lists ready and terminating pods, and no others', () => {
    const pods = [pod('a', 'Ready'), pod('b', 'Starting'), pod('c', 'Terminating'), pod('d', 'Failed')];
    expect(revisionRoute({ pods })).toEqual({
      name: 'digits-00001',
      pods: [
        { name: 'a', uid: 'uid-a', state: 'Ready', ...address },
        { name: 'c', uid: 'uid-c', state: 'Terminating', ...address },
      ],
    });
  });

  test('leaves out a pod that is nowhere yet', () => {
    expect(revisionRoute({ pods: [pod('a', 'Terminating', { address: undefined })] })).toMatchObject({
      pods: [],
    });
  });

  test('says why callers need not wait', () => {
    expect(revisionRoute({ pods: [pod('a', 'Terminating')], failure })).toMatchObject({ failure });
  });

  test('names the pods that are more than wanted', () => {
    const pods = [pod('a', 'Ready'), pod('b', 'Ready')];
    expect(revisionRoute({ pods, spare: new Set(['uid-b']) })).toMatchObject({
      pods: [expect.not.objectContaining({ spare: true }), { name: 'b', spare: true }],
    });
  });

  test('says how long a start takes', () => {
    expect(revisionRoute({ startMilliseconds: 1500 })).toMatchObject({ startSeconds: 1.5 });
    expect(revisionRoute({})).not.toHaveProperty('startSeconds');
  });

  test('refuses nobody while a pod serves', () => {
    expect(revisionRoute({ pods: [pod('a', 'Ready')], failure })).not.toHaveProperty('failure');
  });
});

test('a route has every living revision, its traffic and the function’s limits', () => {
  const spec = { concurrencyLimit: 2, timeoutSeconds: 5, visibility: 'External' as const };
  const revisions = [modelRevision(1, { status: proven }), modelRevision(2)];
  const route = buildRoute(viewFunction(modelFunction(spec), revisions), () => NONE);
  expect(route).toMatchObject({
    namespace: 'models',
    name: 'digits',
    ...spec,
    queue: { maxRequests: 1000, maxBytes: 1000, timeoutSeconds: 60 },
    traffic: [{ revision: 'digits-00001', percent: 100 }],
    revisions: [{ name: 'digits-00001' }, { name: 'digits-00002' }],
  });
});
