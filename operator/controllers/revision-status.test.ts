import { describe, expect, test } from '@jest/globals';
import type { Condition, ModelRevision } from '../../common/api/kinds.ts';
import type { PodFailure } from '../pods/pod-failure.ts';
import type { PodState } from '../pods/pod-state.ts';
import type { StartHistory } from '../pods/start-history.ts';
import { modelRevision, revisionObservation, proven } from './object-fixtures.ts';
import { PROVIDERS_AVAILABLE, revisionStatus, type RevisionObservation } from './revision-status.ts';

const T0 = Date.UTC(2026, 0, 1);
const unschedulable: PodFailure = { reason: 'Unschedulable', message: '0/1 nodes', ended: false, permanent: false };
const noImage: PodFailure = { reason: 'ImagePullFailed', message: 'not found', ended: false, permanent: true };

function pod(phase: PodState['phase'], failure?: PodFailure): PodState {
  return {
    name: 'd',
    uid: 'u',
    phase,
    failure,
    attempt: 0,
    createdAt: T0,
    address: undefined,
    startDeadline: undefined,
  };
}

function history(failures: number, permanent: boolean): StartHistory {
  return { failures, retryAt: 0, last: { reason: 'ModelInvalid', message: 'No model', permanent, at: T0 } };
}

interface Case {
  readonly observation: Partial<RevisionObservation>;
  readonly want: Record<string, string>;
}
const CASES: Record<string, Case> = {
  'new and starting': {
    observation: { pods: [pod('Starting')], desired: 1 },
    want: {
      Ready: 'Unknown Starting: 0 of 1 initial replicas are ready',
      Reconciling: 'True Starting: 0 of 1 initial replicas are ready',
      Proven: 'Unknown Starting: 0 of 1 initial replicas are ready',
      PodsHealthy: 'True Ready: ',
      Active: 'Unknown Starting: 1 replica is wanted',
    },
  },
  'proving itself with one of two': {
    observation: { pods: [pod('Ready'), pod('Starting')], desired: 2, initialReplicas: 2 },
    want: {
      Ready: 'Unknown Starting: 1 of 2 initial replicas are ready',
      Active: 'True Serving: 1 replica is ready',
    },
  },
  'ready for the first time': {
    observation: { pods: [pod('Ready')], desired: 1 },
    want: { Ready: 'True Ready: It can serve', Proven: 'True Ready: It ran with its initial replicas' },
  },
  'at zero after that': {
    observation: { revision: modelRevision(1, { status: proven }) },
    want: { Ready: 'True Ready: It can serve', Active: 'False NoDemand: It is at zero; the next request wakes it' },
  },
  retired: {
    observation: { revision: modelRevision(1, { status: proven }), reachable: false },
    want: { Ready: 'True Ready: It can serve', Active: 'False Retired: It gets no traffic' },
  },
  'waiting for old pods': {
    observation: { waitsForOldPods: true },
    want: {
      Ready: 'Unknown WaitingForOldPods: It starts when the pods of the other revisions are gone',
      Active: 'Unknown WaitingForOldPods: ',
    },
  },
  'no node for it yet': {
    observation: { pods: [pod('Starting', unschedulable)], desired: 1 },
    want: { Ready: 'Unknown Unschedulable: 0/1 nodes', PodsHealthy: 'False Unschedulable: 0/1 nodes' },
  },
  'no image': {
    observation: { pods: [pod('Starting', noImage)], desired: 1 },
    want: { Ready: 'False ImagePullFailed: not found', Stalled: 'True ImagePullFailed: not found' },
  },
  'failed once': {
    observation: { pods: [pod('Starting')], desired: 1, history: history(1, false) },
    want: { Ready: 'Unknown ModelInvalid: No model' },
  },
  'failed three times, perhaps not for ever': {
    observation: { desired: 1, history: history(3, false) },
    want: { Ready: 'False ModelInvalid: No model (3 failed starts in a row)' },
  },
  'failed twice, surely for ever': {
    observation: { desired: 1, history: history(2, true) },
    want: {
      Ready: 'False ModelInvalid: No model (2 failed starts in a row)',
      Stalled: 'True ModelInvalid: No model (2 failed starts in a row)',
    },
  },
  'at zero after a pod broke once': {
    observation: { revision: modelRevision(1, { status: proven }), history: history(1, false) },
    want: { Ready: 'True Ready: It can serve', PodsHealthy: 'True Ready: ' },
  },
  'given up before it ever ran': {
    observation: { history: history(1, false) },
    want: { Ready: 'False ModelInvalid: No model' },
  },
  'waiting for old pods after a failure': {
    observation: { history: history(1, false), waitsForOldPods: true },
    want: { Ready: 'Unknown ModelInvalid: No model' },
  },
  'serving while a further pod has no node': {
    observation: {
      revision: modelRevision(1, { status: proven }),
      pods: [pod('Ready'), pod('Starting', unschedulable)],
      desired: 2,
    },
    want: { Ready: 'True Ready: It can serve', PodsHealthy: 'False Unschedulable: 0/1 nodes' },
  },
  'not able to serve any more': {
    observation: { revision: modelRevision(1, { status: proven }), desired: 1, history: history(3, false) },
    want: {
      Ready: 'False ModelInvalid: No model (3 failed starts in a row)',
      Proven: 'True Ready: It ran with its initial replicas',
    },
  },
  'serving in full after a failure': {
    observation: { pods: [pod('Ready')], desired: 1, history: history(1, false) },
    want: { Ready: 'True Ready: It can serve', PodsHealthy: 'True Ready: ' },
  },
  'in the way of somebody else’s pod': {
    observation: { revision: modelRevision(1, { status: proven }), foreign: ['d-0'] },
    want: {
      Ready: 'True Ready: It can serve',
      PodsHealthy:
        "False NotOwned: Pod d-0 has a replica's name and is none; replicas step over it. Delete it if nobody needs it",
    },
  },
};

function status(observation: Partial<RevisionObservation>): ReturnType<typeof revisionStatus> {
  return revisionStatus(revisionObservation(observation), T0);
}

const text = ({ status: state, reason, message }: Condition): string => `${state} ${reason}: ${message}`;

describe('the status of a revision that is', () => {
  test.each(Object.entries(CASES))('%s', (_name, { observation, want }) => {
    const conditions = Object.fromEntries(
      (status(observation).conditions ?? []).map((each) => [each.type, text(each)]),
    );
    expect(conditions).toMatchObject(want);
    expect('Stalled' in conditions).toBe('Stalled' in want);
  });
});

test('the status counts pods and keeps what a new operator needs', () => {
  const pods = [pod('Ready'), pod('Starting'), pod('Terminating'), pod('Failed')];
  expect(status({ pods, desired: 2, mode: 'Panic', wokenAt: T0 + 1, history: history(1, false) })).toMatchObject({
    observedGeneration: 1,
    replicas: 2,
    readyReplicas: 1,
    desiredReplicas: 2,
    selector: 'pilotlight.dev/revision=digits-00001',
    mode: 'Panic',
    wokenAt: '2026-01-01T00:00:00.001Z',
    lastFailure: { reason: 'ModelInvalid', message: 'No model', time: '2026-01-01T00:00:00Z' },
  });
});

describe('a revision with CUDA before CPU', () => {
  const { spec, ...rest } = modelRevision(1, { status: proven });
  const runtime = { ...spec.resolved.runtime, executionProviders: ['CUDA', 'CPU'] as const };
  const revision: ModelRevision = { ...rest, spec: { ...spec, resolved: { ...spec.resolved, runtime } } };
  const found = (executionProviders: readonly string[] | undefined): string | undefined => {
    const before = executionProviders && { ...proven, executionProviders };
    const { conditions = [] } = status({ revision: { ...revision, status: before ?? proven } });
    return conditions.filter(({ type }) => type === PROVIDERS_AVAILABLE).map(text)[0];
  };

  test.each([
    { used: undefined, want: undefined },
    { used: ['CUDA', 'CPU'], want: 'True ProvidersInUse: ' },
    { used: ['CPU'], want: 'False FellBack: CUDA is not available in the pod, so CPU serves' },
  ])('that uses $used says $want', ({ used, want }) => {
    expect(found(used)).toBe(want);
  });
});
