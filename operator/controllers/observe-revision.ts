/**
 * What a revision and its pods are at a moment, from the watches, the announcements and the memory of what came before. It changes nothing but that
 * memory, and asks nobody.
 */
import type { ModelRevision } from '../../common/api/kinds.ts';
import type { Announcement } from '../../common/wire/announcement.ts';
import type { ScalableRevision } from '../autoscaler/scalable.ts';
import { scalingSettings } from '../autoscaler/scaling-settings.ts';
import { isOwned } from '../cluster/is-owned.ts';
import type { AnnouncedPods } from '../pods/announced-pods.ts';
import { sparePods } from '../pods/plan-pods.ts';
import { observePod, startTimeout, type PodState, type Watching } from '../pods/pod-state.ts';
import { endedRow, healsAt, NO_FAILURES, recordFailure, refusal, retryNow } from '../pods/start-history.ts';
import { expectedStart, recordStart } from '../pods/start-time.ts';
import type { RevisionPods } from '../routes/build-route.ts';
import type { FunctionView } from './function-view.ts';
import type { Observed } from './observed.ts';
import { isProven } from './plan-revisions.ts';
import type { RevisionMemory } from './revision-memory.ts';

export interface ObservedPods {
  readonly pods: readonly PodState[];
  /** Names of pods under the revision's label that are not its own. */
  readonly takenNames: ReadonlySet<string>;
  /** Those of them that stay: one that is being deleted, such as a former revision's of this name, is in nobody's way for long. */
  readonly foreign: readonly string[];
  /** Of one of the ready pods. */
  readonly announcement: Announcement | undefined;
}

export function observePods(
  { observed, announced }: { readonly observed: Observed; readonly announced: AnnouncedPods },
  revision: ModelRevision,
  { deleted }: Pick<RevisionMemory, 'deleted'>,
  watching: Watching,
): ObservedPods {
  const pods: PodState[] = [];
  const takenNames = new Set<string>();
  const foreign: string[] = [];
  let announcement: Announcement | undefined;
  for (const pod of observed.podsOf(revision.metadata.namespace ?? '', revision.metadata.name)) {
    if (!isOwned(pod.metadata, revision.metadata.uid)) {
      takenNames.add(pod.metadata.name);
      if (pod.metadata.deletionTimestamp === undefined) foreign.push(pod.metadata.name);
      continue;
    }
    const own = announced.of(pod);
    const seen = observePod(pod, own, watching);
    const state: PodState = deleted.has(seen.uid) ? { ...seen, phase: 'Terminating' } : seen;
    if (state.phase === 'Ready') announcement ??= own;
    pods.push(state);
  }
  return { pods, takenNames, foreign, announcement };
}

/** Brings the memory up to date with the pods; gives the failures that are new. */
export function remember(
  memory: RevisionMemory,
  pods: readonly PodState[],
  generation: number,
  now: number,
): PodState[] {
  const existing = new Set(pods.map(({ uid }) => uid));
  for (const map of [memory.readyAt, memory.startingSince, memory.counted, memory.deleted, memory.unanswered]) {
    for (const uid of map.keys()) if (!existing.has(uid)) map.delete(uid);
  }
  // Whoever changed the function may have repaired it.
  if (generation !== memory.functionGeneration) memory.history = retryNow(memory.history);
  memory.functionGeneration = generation;

  // Of those that terminate, what was said of them before they were deleted is counted, and is not the end of what the cluster takes away.
  const failed = pods.filter(
    ({ phase, failure, uid }) =>
      (phase === 'Failed' || (phase === 'Terminating' && failure?.ended === true)) && !memory.counted.has(uid),
  );
  for (const { uid, failure, attempt } of failed) {
    memory.counted.add(uid);
    const before = endedRow(memory.readyAt.get(uid), now) ? 0 : attempt;
    if (failure !== undefined) memory.history = recordFailure(memory.history, failure, before, now);
  }
  const ready = pods.filter(({ phase }) => phase === 'Ready');
  rememberStarts(memory, pods, now);
  for (const { uid } of ready) if (!memory.readyAt.has(uid)) memory.readyAt.set(uid, now);
  memory.readySince = ready.length === 0 ? undefined : (memory.readySince ?? now);
  if (healing(memory, ready).some((at) => at <= now)) memory.history = NO_FAILURES;
  return failed;
}

/** A pod that had to wait for a node or an image says nothing about the next one, nor does one that was ready already when it was first seen. */
function rememberStarts(memory: RevisionMemory, pods: readonly PodState[], now: number): void {
  const { startingSince, readyAt } = memory;
  for (const { uid, phase, createdAt, failure } of pods) {
    if (phase === 'Starting') {
      if (failure !== undefined) startingSince.set(uid, undefined);
      else if (!startingSince.has(uid)) startingSince.set(uid, now);
    } else if (phase === 'Ready' && !readyAt.has(uid)) {
      const since = startingSince.get(uid);
      if (since !== undefined) memory.startTimes = recordStart(memory.startTimes, since, createdAt, now);
    }
  }
}

/**
 * A start that is given up counts as failed: a pod that no node fitted has no end of its own, and nobody would learn what it waited for.
 * @param now milliseconds since the epoch
 */
export function rememberGivenUp(
  memory: RevisionMemory,
  pods: readonly PodState[],
  startTimeoutSeconds: number,
  now: number,
): void {
  const starting = pods.filter(({ phase }) => phase === 'Starting');
  const told = starting.find(({ failure }) => failure !== undefined) ?? starting[0];
  if (told === undefined) return;
  memory.history = recordFailure(memory.history, startTimeout(told.failure, startTimeoutSeconds), told.attempt, now);
}

/** When the ready pods end the row of failures. */
export function healing({ history, readyAt }: RevisionMemory, ready: readonly PodState[]): number[] {
  return ready
    .map(({ attempt, uid }) => healsAt(history, { attempt, readyAt: readyAt.get(uid) ?? Infinity }))
    .filter((at) => at !== undefined);
}

/** The autoscaler's view. */
export function scalableRevision(
  { function: fn, reachable }: FunctionView,
  revision: ModelRevision,
  pods: readonly PodState[],
  memory: RevisionMemory,
  roomSince?: number,
): ScalableRevision {
  const wokenAt = Date.parse(revision.status?.wokenAt ?? '');
  const startMilliseconds = expectedStart(memory.startTimes);
  return {
    namespace: revision.metadata.namespace ?? '',
    revision: revision.metadata.name,
    scaling: scalingSettings(fn.spec),
    reachable: reachable.has(revision.metadata.name),
    readyReplicas: pods.filter(({ phase }) => phase === 'Ready').length,
    startingReplicas: pods.filter(({ phase }) => phase === 'Starting').length,
    proven: isProven(revision),
    wokenAt: Number.isNaN(wokenAt) ? undefined : wokenAt,
    roomSince,
    readySince: memory.readySince,
    startSeconds: startMilliseconds === undefined ? undefined : startMilliseconds / 1000,
    patienceSeconds: Math.min(fn.spec.queue.timeoutSeconds, fn.spec.timeoutSeconds),
  };
}

/** What routes say of the revision. */
export function routedPods(
  pods: readonly PodState[],
  { history, startTimes }: RevisionMemory,
  desired: number | undefined,
  now: number,
): RevisionPods {
  const stuck = pods.find(({ phase, failure }) => phase === 'Starting' && failure?.permanent === true)?.failure;
  const why = stuck ?? refusal(history, now);
  return {
    pods,
    failure: why === undefined ? undefined : { reason: why.reason, message: why.message },
    spare: new Set(desired === undefined ? [] : sparePods(pods, desired).map(({ uid }) => uid)),
    startMilliseconds: expectedStart(startTimes),
  };
}

/**
 * Milliseconds until time alone changes something: a start runs out of time, a row of failures heals, callers are held again. Undefined if nothing
 * will.
 */
export function dueAgain(memory: RevisionMemory, pods: readonly PodState[], now: number): number | undefined {
  const deadlines = pods.filter(({ phase }) => phase === 'Starting').map(({ startDeadline }) => startDeadline);
  const ready = pods.filter(({ phase }) => phase === 'Ready');
  const times = [...deadlines, ...healing(memory, ready), memory.history.retryAt].filter(
    (at): at is number => at !== undefined && Number.isFinite(at) && at > now,
  );
  return times.length === 0 ? undefined : Math.min(...times) - now;
}
