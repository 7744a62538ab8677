import { describe, expect, test } from '@jest/globals';
import type { Announcement } from '../../common/wire/announcement.ts';
import type { ContainerStatus, Pod, PodCondition } from '../cluster/resources.ts';
import { ATTEMPT_ANNOTATION, observePod } from './pod-state.ts';

const T0 = Date.UTC(2026, 0, 1);
const at = (seconds: number): string => new Date(T0 + seconds * 1000).toISOString();

function pod(status: Pod['status'] = {}, metadata: Partial<Pod['metadata']> = {}): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'd-00001-0', namespace: 'n', uid: 'u', creationTimestamp: at(0), ...metadata },
    spec: {
      containers: [
        {
          name: 'runtime',
          image: 'registry/runtime:1',
          ports: [
            { name: 'http', containerPort: 8080 },
            { name: 'control', containerPort: 9091 },
          ],
        },
      ],
    },
    status,
  };
}

const waiting = (reason: string, message: string): Pod['status'] => ({
  phase: 'Pending',
  containerStatuses: [{ name: 'runtime', state: { waiting: { reason, message } } }],
});
const ended = (
  state: NonNullable<NonNullable<ContainerStatus['state']>['terminated']>,
  more: Pod['status'] = {},
): Pod['status'] => ({
  phase: 'Failed',
  containerStatuses: [{ name: 'runtime', state: { terminated: state } }],
  ...more,
});
const conditions = (...list: [string, PodCondition['status'], string?, number?][]): PodCondition[] =>
  list.map(([type, status, message = '', since = 0]) => ({
    type,
    status,
    message,
    lastTransitionTime: at(since),
    ...(type === 'DisruptionTarget' ? { reason: 'DeletionByTaintManager' } : {}),
  }));

const announcement: Announcement = {
  namespace: 'n',
  revision: 'd-00001',
  pod: 'd-00001-0',
  uid: 'u',
  host: '127.0.0.1',
  ports: { http: 4000, control: 4001 },
};

function behindSidecar({ spec, ...rest }: Pod): Pod {
  const sidecar = { name: 'mesh-proxy', image: 'mesh:1', ports: [{ name: 'http', containerPort: 15000 }] };
  return { ...rest, spec: { ...spec, containers: [sidecar, ...spec.containers] } };
}

interface Case {
  readonly pod: Pod;
  readonly announced?: boolean;
  readonly seconds?: number;
  readonly want: object;
}
const phase = (name: string): object => ({ phase: name });
const failed = (reason: string, message: string, permanent: boolean, ended_ = true): object => ({
  phase: ended_ ? 'Failed' : 'Starting',
  failure: { reason, message, ended: ended_, permanent },
});

const CASES: Record<string, Case> = {
  'just created': { pod: pod(), want: phase('Starting') },
  'announced before its status says anything': {
    pod: pod({ phase: 'Pending' }),
    announced: true,
    want: { phase: 'Ready', address: { host: '127.0.0.1', ports: { http: 4000, control: 4001 } } },
  },
  'ready by the API': {
    pod: pod({ phase: 'Running', podIP: '10.0.0.7', conditions: conditions(['Ready', 'True']) }),
    want: { phase: 'Ready', address: { host: '10.0.0.7', ports: { http: 8080, control: 9091 } } },
  },
  'ready by the API, at no address yet': {
    pod: pod({ phase: 'Running', conditions: conditions(['Ready', 'True']) }),
    want: phase('Starting'),
  },
  'running but not ready': {
    pod: pod({ phase: 'Running', podIP: '10.0.0.7', conditions: conditions(['Ready', 'False']) }),
    want: phase('Starting'),
  },
  'ready by its kubelet, of whose node there is no news': {
    pod: pod({
      phase: 'Running',
      podIP: '10.0.0.7',
      conditions: conditions(['Ready', 'False', '', 3600]),
      containerStatuses: [{ name: 'runtime', ready: true, state: { running: {} } }],
    }),
    seconds: 7200,
    want: phase('Ready'),
  },
  'ready for an hour, and starting again in its place': {
    pod: pod({
      phase: 'Running',
      podIP: '10.0.0.7',
      conditions: conditions(['PodScheduled', 'True', '', 0], ['Ready', 'False', '', 3600]),
      containerStatuses: [{ name: 'runtime', ready: false, state: { running: {} } }],
    }),
    seconds: 3605,
    want: { phase: 'Starting', startDeadline: T0 + 3630 * 1000 },
  },
  'loading, beside a sidecar that is ready': {
    pod: pod({
      phase: 'Running',
      podIP: '10.0.0.7',
      conditions: conditions(['Ready', 'False']),
      containerStatuses: [
        { name: 'mesh-proxy', ready: true, state: { running: {} } },
        { name: 'runtime', ready: false, state: { running: {} } },
      ],
    }),
    want: phase('Starting'),
  },
  'ready, behind a sidecar with ports of its own': {
    pod: behindSidecar(pod({ phase: 'Running', podIP: '10.0.0.7', conditions: conditions(['Ready', 'True']) })),
    want: { phase: 'Ready', address: { host: '10.0.0.7', ports: { http: 8080, control: 9091 } } },
  },
  'without its image, behind a sidecar': {
    pod: behindSidecar(pod(waiting('ErrImagePull', 'not found'))),
    want: failed('ImagePullFailed', 'Image registry/runtime:1: not found', true, false),
  },
  'ended, beside a sidecar that runs on': {
    pod: pod({
      phase: 'Running',
      containerStatuses: [
        { name: 'mesh-proxy', ready: true, state: { running: {} } },
        { name: 'runtime', ready: false, state: { terminated: { exitCode: 137, reason: 'OOMKilled' } } },
      ],
    }),
    announced: true,
    want: failed('OutOfMemory', 'The process was killed above its memory limit; raise resources.limits.memory', false),
  },
  'deleted while ready': {
    pod: pod({ phase: 'Running' }, { deletionTimestamp: at(1) }),
    announced: true,
    want: phase('Terminating'),
  },
  'deleted and ended': {
    pod: pod(ended({ exitCode: 143 }), { deletionTimestamp: at(1) }),
    want: phase('Terminating'),
  },
  'announced and then ended': {
    pod: pod(ended({ exitCode: 137, signal: 9 })),
    announced: true,
    want: failed('Exited', 'The process ended by signal 9', false),
  },
  'no node fits': {
    pod: pod({ phase: 'Pending', conditions: conditions(['PodScheduled', 'False', '0/1 nodes: no nvidia.com/gpu']) }),
    seconds: 3600,
    want: failed('Unschedulable', '0/1 nodes: no nvidia.com/gpu', false, false),
  },
  'got its node after an hour and has its time still': {
    pod: pod({ phase: 'Pending', conditions: conditions(['PodScheduled', 'True', '', 3600]) }),
    seconds: 3605,
    want: phase('Starting'),
  },
  'bad image': {
    pod: pod(waiting('ImagePullBackOff', 'not found')),
    want: failed('ImagePullFailed', 'Image registry/runtime:1: not found', true, false),
  },
  'missing Secret': {
    pod: pod(waiting('CreateContainerConfigError', 'secret "s3" not found')),
    want: failed('ContainerNotCreated', 'secret "s3" not found', true, false),
  },
  'just being made': { pod: pod(waiting('ContainerCreating', '')), want: phase('Starting') },
  'said why it cannot start': {
    pod: pod(ended({ exitCode: 1, message: '{"reason":"ModelDigestMismatch","message":"Got 12, want 34"}' })),
    want: failed('ModelDigestMismatch', 'Got 12, want 34', true),
  },
  'said why, and it may heal': {
    pod: pod(ended({ exitCode: 1, message: '{"reason":"ModelFetchFailed","message":"refused"}' })),
    want: failed('ModelFetchFailed', 'refused', false),
  },
  "another program's last words": {
    pod: pod(ended({ exitCode: 2, message: '{"reason":"constructor","message":"x"}' })),
    want: failed('Exited', 'The process ended with exit code 2: {"reason":"constructor","message":"x"}', false),
  },
  'broken JSON': {
    pod: pod(ended({ exitCode: 2, message: '{"reason":' })),
    want: failed('Exited', 'The process ended with exit code 2: {"reason":', false),
  },
  'ended without an error': {
    pod: pod({ ...ended({ exitCode: 0 }), phase: 'Succeeded' }),
    want: failed('Exited', 'The process ended with exit code 0', false),
  },
  'out of memory': {
    pod: pod(ended({ exitCode: 137, reason: 'OOMKilled' })),
    want: failed('OutOfMemory', 'The process was killed above its memory limit; raise resources.limits.memory', false),
  },
  'out of memory as often as the supervisor starts it': {
    pod: pod(
      ended({
        exitCode: 137,
        reason: 'OOMKilled',
        message: '{"reason":"RuntimeHung","message":"It was killed 4 times"}',
      }),
    ),
    want: failed('OutOfMemory', 'The process was killed above its memory limit; raise resources.limits.memory', false),
  },
  evicted: {
    pod: pod({ phase: 'Failed', reason: 'Evicted', message: 'The node was low on memory' }),
    want: failed('Evicted', 'Evicted: The node was low on memory', false),
  },
  'lost with its node': {
    pod: pod(
      {
        phase: 'Running',
        conditions: conditions(['Ready', 'False'], ['DisruptionTarget', 'True', 'Taint manager: deleting']),
      },
      { deletionTimestamp: at(1) },
    ),
    announced: true,
    want: {
      phase: 'Terminating',
      failure: { reason: 'Evicted', message: 'DeletionByTaintManager: Taint manager: deleting', ended: true },
    },
  },
  'collected after its node was gone': {
    pod: pod({ phase: 'Failed', conditions: conditions(['DisruptionTarget', 'True', 'PodGC: node no longer exists']) }),
    want: failed('Evicted', 'DeletionByTaintManager: PodGC: node no longer exists', false),
  },
  'to be disrupted, but not yet': {
    pod: pod(
      { phase: 'Running', conditions: conditions(['DisruptionTarget', 'False', 'undone']) },
      { deletionTimestamp: at(1) },
    ),
    want: { phase: 'Terminating', failure: undefined },
  },
  'refused by its node': {
    pod: pod({ phase: 'Failed', reason: 'OutOfcpu', message: 'Node has no cpu' }),
    want: failed('PodRejected', 'OutOfcpu: Node has no cpu', false),
  },
  'not ready in time': {
    pod: pod({ phase: 'Running' }),
    seconds: 30,
    want: failed(
      'StartTimeout',
      'The pod was not ready within 30 s; raise scaling.startTimeoutSeconds if the model takes longer to load',
      false,
    ),
  },
  'not ready in time for want of its image': {
    pod: pod(waiting('ErrImagePull', 'no route to host')),
    seconds: 30,
    want: failed(
      'ImagePullFailed',
      'The pod was not ready within 30 s: Image registry/runtime:1: no route to host',
      false,
    ),
  },
};

describe('a pod that', () => {
  test.each(Object.entries(CASES))('%s', (_name, { pod: object, announced = false, seconds = 1, want }) => {
    const state = observePod(object, announced ? announcement : undefined, {
      startTimeoutSeconds: 30,
      watchingSince: 0,
      now: T0 + seconds * 1000,
    });
    expect(state).toMatchObject(want);
  });
});

test('the attempt of a pod is in its annotation, and nonsense in it counts as none', () => {
  const attempts = ['3', undefined, '-1', 'x', '1e99'].map((value) => {
    const object = pod({}, value === undefined ? {} : { annotations: { [ATTEMPT_ANNOTATION]: value } });
    return observePod(object, undefined, { startTimeoutSeconds: 30, watchingSince: 0, now: T0 }).attempt;
  });
  expect(attempts).toEqual([3, 0, 0, 0, 0]);
});

test('a start has not timed out before an operator that just began could hear that the pod is ready', () => {
  const watching = { startTimeoutSeconds: 30, watchingSince: T0 + 100_000 };
  expect(observePod(pod(), undefined, { ...watching, now: T0 + 109_999 }).phase).toBe('Starting');
  expect(observePod(pod(), undefined, { ...watching, now: T0 + 110_000 }).phase).toBe('Failed');
});
