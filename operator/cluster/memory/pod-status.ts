/** What a kubelet writes into a pod's status, computed from what its one container does. */
import { constants } from 'node:os';
import { cutText } from '../../../common/text/cut-text.ts';
import { TERMINATION_MESSAGE_BYTES } from '../../../common/wire/runtime-environment.ts';
import type { ContainerStatus, Pod, PodCondition } from '../resources.ts';
import type { ContainerExit } from './pod-runner.ts';

type PodStatus = NonNullable<Pod['status']>;

/** Times are Kubernetes timestamps. */
export type ContainerState =
  | { readonly type: 'Waiting'; readonly reason: string; readonly message?: string }
  | { readonly type: 'Running'; readonly startedAt: string; readonly ready: boolean }
  | { readonly type: 'Ended'; readonly exit: ContainerExit };

/** The status of a pod that this node took on; `restarts` counts how often its container was started again. */
export function podStatus(
  pod: Pod,
  podIP: string,
  container: ContainerState,
  restarts: number,
  now: string,
): PodStatus {
  const ready = container.type === 'Running' && container.ready;
  const phase = phaseOf(container, restarts);
  const over = phase === 'Failed' ? 'PodFailed' : phase === 'Succeeded' ? 'PodCompleted' : undefined;
  const names = pod.spec.containers.map(({ name }) => name);
  const unready = {
    reason: over ?? 'ContainersNotReady',
    ...(over === undefined && { message: unreadyMessage(names) }),
  };
  return {
    ...pod.status,
    phase,
    podIP,
    startTime: pod.status?.startTime ?? now,
    conditions: withConditions(pod.status?.conditions, now, [
      { type: 'Initialized', status: 'True' },
      { type: 'ContainersReady', ...(ready ? { status: 'True' } : { status: 'False', ...unready }) },
      { type: 'Ready', ...(ready ? { status: 'True' } : { status: 'False', ...unready }) },
    ]),
    containerStatuses: names.map((name) => ({ name, ready, restartCount: restarts, state: containerState(container) })),
  };
}

/** Replaces conditions by type; one whose status stays keeps its transition time. */
export function withConditions(
  before: readonly PodCondition[] = [],
  now: string,
  conditions: readonly PodCondition[],
): PodCondition[] {
  const types = new Set(conditions.map(({ type }) => type));
  return [
    ...before.filter(({ type }) => !types.has(type)),
    ...conditions.map((condition) => {
      const old = before.find(({ type }) => type === condition.type);
      const kept = old?.status === condition.status ? old.lastTransitionTime : undefined;
      return { ...condition, lastTransitionTime: kept ?? now };
    }),
  ];
}

/** A program killed by signal n has the exit code 128 + n, as a container runtime reports it. */
export function exitCodeOf({ exitCode, signal }: ContainerExit): number {
  return exitCode ?? 128 + (signalNumber(signal) ?? 0);
}

function phaseOf(container: ContainerState, restarts: number): NonNullable<PodStatus['phase']> {
  if (container.type === 'Running') return 'Running';
  if (container.type === 'Waiting') return restarts === 0 ? 'Pending' : 'Running';
  return exitCodeOf(container.exit) === 0 ? 'Succeeded' : 'Failed';
}

function containerState(container: ContainerState): NonNullable<ContainerStatus['state']> {
  if (container.type === 'Waiting') {
    const { reason, message } = container;
    return { waiting: { reason, ...(message !== undefined && { message }) } };
  }
  if (container.type === 'Running') return { running: { startedAt: container.startedAt } };
  const { exit } = container;
  const exitCode = exitCodeOf(exit);
  const signal = signalNumber(exit.signal);
  const message = cutText(exit.terminationMessage, TERMINATION_MESSAGE_BYTES);
  return {
    terminated: {
      exitCode,
      ...(signal !== undefined && { signal }),
      reason: exitCode === 0 ? 'Completed' : 'Error',
      ...(message !== '' && { message }),
    },
  };
}

function signalNumber(name: string | undefined): number | undefined {
  return name === undefined ? undefined : (constants.signals as Readonly<Record<string, number>>)[name];
}

function unreadyMessage(names: readonly string[]): string {
  return `containers with unready status: [${names.join(' ')}]`;
}
