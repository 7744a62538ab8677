/** What a pod is to the operator at a moment: starting, ready, terminating or failed. Pure; readiness comes from the pod's own announcement or from the API. */
import type { Announcement, PodAddress } from '../../common/wire/announcement.ts';
import type { Pod, PodCondition } from '../cluster/resources.ts';
import { disruption, podFailure, type PodFailure } from './pod-failure.ts';
import { drainToken } from './pod-tokens.ts';
import { runtimeContainer, runtimeStatus } from './runtime-container.ts';

export interface PodState {
  readonly name: string;
  readonly uid: string;
  readonly phase: 'Starting' | 'Ready' | 'Terminating' | 'Failed';
  /** Milliseconds since the epoch, in whole seconds on a real cluster. */
  readonly createdAt: number;
  /** Failures in a row before it was made. */
  readonly attempt: number;
  /** Where it can be reached, once that is known. */
  readonly address: PodAddress | undefined;
  /** What it wants to be shown before it drains. */
  readonly drainToken?: string;
  /** Why it failed, what a starting one waits for, or why the cluster takes a terminating one away. */
  readonly failure: PodFailure | undefined;
  /** Milliseconds since the epoch after which a starting pod has failed; undefined while no node has taken it. */
  readonly startDeadline: number | undefined;
}

/** Annotation with the number of failures in a row before this pod was made; it outlives the operator that counted. */
export const ATTEMPT_ANNOTATION = 'pilotlight.dev/attempt';

/** An operator that has just started learns from gateways, within this, which pods announced themselves to its predecessor. */
const HEARING_MILLISECONDS = 10_000;

export interface Watching {
  readonly startTimeoutSeconds: number;
  /** Milliseconds since the epoch at which this operator began. */
  readonly watchingSince: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** @param announcement the one whose uid is the pod's, if it announced itself */
export function observePod(
  pod: Pod,
  announcement: Announcement | undefined,
  { startTimeoutSeconds, watchingSince, now }: Watching,
): PodState {
  const failure = podFailure(pod);
  const address = announcement ?? addressInStatus(pod);
  const startDeadline =
    failure?.reason === 'Unschedulable'
      ? undefined
      : Math.max(startedAt(pod) + startTimeoutSeconds * 1000, watchingSince + HEARING_MILLISECONDS);
  const token = drainToken(pod);
  const base = {
    name: pod.metadata.name,
    uid: pod.metadata.uid ?? '',
    createdAt: createdAt(pod),
    attempt: attemptOf(pod),
    address,
    ...(token === undefined ? {} : { drainToken: token }),
    failure,
    startDeadline,
  };
  if (pod.metadata.deletionTimestamp !== undefined) return { ...base, phase: 'Terminating', failure: disruption(pod) };
  if (failure?.ended === true) return { ...base, phase: 'Failed' };
  const ready = announcement !== undefined || isReady(pod);
  if (ready && address !== undefined) return { ...base, phase: 'Ready' };
  if (startDeadline === undefined || now < startDeadline) return { ...base, phase: 'Starting' };
  return { ...base, phase: 'Failed', failure: startTimeout(failure, startTimeoutSeconds) };
}

/** What the pod waited for is the better reason where it is known. */
export function startTimeout(waitedFor: PodFailure | undefined, seconds: number): PodFailure {
  const reason = waitedFor?.reason ?? 'StartTimeout';
  const why =
    waitedFor === undefined
      ? '; raise scaling.startTimeoutSeconds if the model takes longer to load'
      : `: ${waitedFor.message}`;
  return { reason, message: `The pod was not ready within ${seconds} s${why}`, ended: true, permanent: false };
}

function attemptOf(pod: Pod): number {
  const attempt = Number(pod.metadata.annotations?.[ATTEMPT_ANNOTATION] ?? '0');
  return Number.isSafeInteger(attempt) && attempt > 0 ? attempt : 0;
}

function createdAt({ metadata }: Pod): number {
  return Date.parse(metadata.creationTimestamp ?? '') || 0;
}

/**
 * The kubelet's probe, by its own word about the container too: after a gap of news from a node, be it the API server that was away, Kubernetes takes
 * the condition from all pods of the node, though they serve.
 */
function isReady(pod: Pod): boolean {
  return condition(pod, 'Ready')?.status === 'True' || runtimeStatus(pod)?.ready === true;
}

/** A pod that waited an hour for a node has its full time to start on it, and so has one that was ready and starts again in its place. */
function startedAt(pod: Pod): number {
  const scheduled = condition(pod, 'PodScheduled');
  const since = [scheduled?.status === 'True' ? scheduled : undefined, condition(pod, 'Ready')];
  return Math.max(createdAt(pod), ...since.map((known) => Date.parse(known?.lastTransitionTime ?? '') || 0));
}

function condition(pod: Pod, type: string): PodCondition | undefined {
  return pod.status?.conditions?.find((each) => each.type === type);
}

function addressInStatus(pod: Pod): PodAddress | undefined {
  const { status } = pod;
  const ports = runtimeContainer(pod)?.ports ?? [];
  const port = (name: string): number | undefined => ports.find((each) => each.name === name)?.containerPort;
  const [http, grpc, control] = [port('http'), port('grpc'), port('control')];
  if (status?.podIP === undefined || http === undefined || control === undefined) return undefined;
  return { host: status.podIP, ports: { http, control, ...(grpc === undefined ? {} : { grpc }) } };
}
