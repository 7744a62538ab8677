import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { planPods } from './plan-pods.ts';
import type { PodState } from './pod-state.ts';

const PHASES = { S: 'Starting', R: 'Ready', T: 'Terminating', F: 'Failed', U: 'Starting' } as const;

/** `R0 S1@5 U2`: a ready pod d-0, a starting one d-1 created at 5 ms, an unschedulable one d-2. */
function pods(text: string): PodState[] {
  return [...text.matchAll(/([SRTFU])(\d+)(?:@(\d+))?/g)].map(([, letter, ordinal, createdAt]) => ({
    name: `d-${ordinal ?? ''}`,
    uid: `uid-${ordinal ?? ''}`,
    phase: PHASES[letter as keyof typeof PHASES],
    createdAt: Number(createdAt ?? 0),
    attempt: 0,
    address: undefined,
    startDeadline: undefined,
    failure:
      letter === 'U' ? { reason: 'Unschedulable', message: '0/1 nodes', ended: false, permanent: false } : undefined,
  }));
}

interface Case {
  readonly pods: string;
  readonly desired: number;
  readonly maxUnschedulable?: number;
  readonly taken?: string[];
  readonly create?: string[];
  readonly remove?: string[];
  readonly drain?: string[];
  readonly drainCount?: number;
}

const CASES: Record<string, Case> = {
  'nothing wanted, nothing there': { pods: '', desired: 0 },
  'creates the lowest ordinals': { pods: '', desired: 2, create: ['d-0', 'd-1'] },
  'fills the gap first': { pods: 'R0 R2', desired: 4, create: ['d-1', 'd-3'] },
  'leaves what is as wanted': { pods: 'R0 S1', desired: 2 },
  'replaces a terminating pod at once, under another name': { pods: 'T0', desired: 1, create: ['d-1'] },
  'removes a failed pod and replaces it under another name': {
    pods: 'F0 R1',
    desired: 2,
    create: ['d-2'],
    remove: ['d-0'],
  },
  "passes over a name of somebody else's": { pods: '', desired: 1, taken: ['d-0'], create: ['d-1'] },
  'drops starting pods before ready ones, newest first': { pods: 'R0 S1@1 S2@2', desired: 2, remove: ['d-2'] },
  'drops unschedulable pods before those that start': { pods: 'R0 U1@1 S2@2', desired: 2, remove: ['d-1'] },
  'asks ready pods, newest first, to give up the rest of the surplus': {
    pods: 'R0@1 R1@2 R2@3 S3@4',
    desired: 1,
    remove: ['d-3'],
    drain: ['d-2', 'd-1', 'd-0'],
    drainCount: 2,
  },
  'removes all starting and asks all ready ones at zero': {
    pods: 'S0@1 R1@0',
    desired: 0,
    remove: ['d-0'],
    drain: ['d-1'],
    drainCount: 1,
  },
  'creates none while as many wait for a node as may': { pods: 'R0 U1', desired: 5 },
  'creates while fewer wait for a node than may': {
    pods: 'U0',
    desired: 3,
    maxUnschedulable: 2,
    create: ['d-1', 'd-2'],
  },
  'removes the newest of too many that wait for a node': {
    pods: 'R0 U1@1 U2@2 U3@3',
    desired: 4,
    remove: ['d-3', 'd-2'],
  },
};

describe('the plan for the pods of a revision', () => {
  test.each(Object.entries(CASES))(
    '%s',
    (_name, { pods: text, desired, maxUnschedulable = 1, taken = [], ...want }) => {
      const plan = planPods({ revision: 'd', pods: pods(text), takenNames: new Set(taken), desired, maxUnschedulable });
      expect({
        create: plan.create,
        remove: plan.remove.map(({ name }) => name),
        drain: plan.drain.map(({ name }) => name),
        drainCount: plan.drainCount,
      }).toEqual({ create: [], remove: [], drain: [], drainCount: 0, ...want });
    },
  );

  test('never has more than desired, never creates beside a removal of a starting pod, and never reuses a name', () => {
    const letters = fc.array(fc.constantFrom('S', 'R', 'T', 'F', 'U'), { maxLength: 12 });
    fc.assert(
      fc.property(letters, fc.nat(12), fc.integer({ min: 1, max: 4 }), (states, desired, maxUnschedulable) => {
        const there = pods(states.map((letter, index) => `${letter}${index}@${index}`).join(' '));
        const plan = planPods({ revision: 'd', pods: there, takenNames: new Set(), desired, maxUnschedulable });
        const living = there.filter(({ phase }) => phase === 'Starting' || phase === 'Ready');
        const dropped = plan.remove.filter(({ phase }) => phase !== 'Failed');
        const after = living.length + plan.create.length - dropped.length - plan.drainCount;
        expect(after).toBeLessThanOrEqual(desired);
        if (dropped.length > 0 || plan.drainCount > 0) expect(plan.create).toEqual([]);
        expect(dropped.every(({ phase }) => phase === 'Starting')).toBe(true);
        expect(there.map(({ name }) => name).filter((name) => plan.create.includes(name))).toEqual([]);
        expect(new Set(plan.create).size).toBe(plan.create.length);
      }),
    );
  });
});
