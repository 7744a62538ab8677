/** A revision's status from what was observed. Pure. Reasons and messages are what a person needs to know next, so a pod's own words are kept. */
import { summarise, timestamp, updateConditions, type Finding } from '../../common/api/conditions.ts';
import type { ModelRevision, ModelRevisionStatus } from '../../common/api/kinds.ts';
import { LABELS } from '../../common/api/names.ts';
import type { Reason } from '../../common/api/reasons.ts';
import type { Announcement } from '../../common/wire/announcement.ts';
import type { Waiting } from '../capacity/allocate.ts';
import { ownerOf } from '../capacity/budget.ts';
import type { PodState } from '../pods/pod-state.ts';
import { isHopeless, type StartHistory } from '../pods/start-history.ts';
import { isProven, PROVEN } from './plan-revisions.ts';

export interface RevisionObservation {
  readonly revision: ModelRevision;
  /** Of the spec that the status is about. */
  readonly generation: number;
  /** All that exist. */
  readonly pods: readonly PodState[];
  readonly desired: number;
  readonly initialReplicas: number;
  /** Gets traffic, or is the latest and has yet to prove itself. */
  readonly reachable: boolean;
  /** Its pods must not start before those of the other revisions are gone. */
  readonly waitsForOldPods: boolean;
  readonly history: StartHistory;
  /** Names of pods that belong to somebody else. */
  readonly foreign: readonly string[];
  readonly mode: 'Stable' | 'Panic' | undefined;
  /** Milliseconds since the epoch. */
  readonly wokenAt: number | undefined;
  /** Of one of its ready pods. */
  readonly announcement: Announcement | undefined;
  /** What the start of a pod will take, once that was learned. */
  readonly startMilliseconds: number | undefined;
  /** Replicas that it wants and that no budget has room for. */
  readonly waitsForCapacity: Waiting | undefined;
}

/** Condition of revisions and functions; it says nothing about whether they serve. */
export const PROVIDERS_AVAILABLE = 'ProvidersAvailable';

/** Something that is wrong now. */
interface Trouble {
  readonly reason: Reason;
  readonly message: string;
  /** It will hardly go away by itself. */
  readonly lasting: boolean;
  readonly needsUser: boolean;
}

export function revisionStatus(observation: RevisionObservation, now: number): ModelRevisionStatus {
  const { revision, generation, pods, desired, history, mode, wokenAt, announcement, startMilliseconds } = observation;
  const before = revision.status;
  // It outlives the row that it was in.
  const failure = history.last === undefined ? before?.lastFailure : lastFailure(history.last);
  const model = announcement?.model ?? before?.model;
  const executionProviders = announcement?.executionProviders ?? before?.executionProviders;
  const found = [...findings(observation), ...providersFound(revision, executionProviders)];
  return {
    conditions: updateConditions(before?.conditions ?? [], found, { generation, now }),
    observedGeneration: generation,
    replicas: living(pods).length,
    readyReplicas: readyOf(pods).length,
    desiredReplicas: desired,
    selector: `${LABELS.revision}=${revision.metadata.name}`,
    ...(mode === undefined ? {} : { mode }),
    ...(wokenAt === undefined ? {} : { wokenAt: new Date(wokenAt).toISOString() }),
    ...(startMilliseconds === undefined ? {} : { startMilliseconds: Math.round(startMilliseconds) }),
    ...(executionProviders === undefined ? {} : { executionProviders }),
    ...(failure === undefined ? {} : { lastFailure: failure }),
    ...(model === undefined ? {} : { model }),
  };
}

function lastFailure({
  reason,
  message,
  at,
}: NonNullable<StartHistory['last']>): NonNullable<ModelRevisionStatus['lastFailure']> {
  return { reason, message, time: timestamp(at) };
}

function findings(observation: RevisionObservation): Finding[] {
  const { revision, pods, initialReplicas, foreign } = observation;
  const ready = readyOf(pods).length;
  const trouble = findTrouble(observation);
  const proven = isProven(revision) || ready >= initialReplicas;
  const provenFinding: Finding = proven
    ? { type: PROVEN, status: 'True', reason: 'Ready', message: 'It ran with its initial replicas' }
    : { type: PROVEN, ...progress(observation, trouble) };
  const unhealthy = trouble ?? findForeign(foreign);
  const healthy: Finding =
    unhealthy === undefined
      ? { type: 'PodsHealthy', status: 'True', reason: 'Ready', message: '' }
      : { type: 'PodsHealthy', status: 'False', reason: unhealthy.reason, message: unhealthy.message };
  const summary = summarise(
    [
      proven && trouble !== undefined && ready === 0
        ? { type: PROVEN, ...progress(observation, trouble) }
        : provenFinding,
    ],
    { needsUser: trouble?.needsUser ?? false, ready: 'It can serve' },
  );
  return [...summary, provenFinding, healthy, { type: 'Active', ...activity(observation, ready) }];
}

/** A model that was meant for a GPU and runs without one serves, but slowly: nobody would look for the cause if nothing said so. */
function providersFound({ spec }: ModelRevision, used: readonly string[] | undefined): Finding[] {
  if (used === undefined) return [];
  const missing = spec.resolved.runtime.executionProviders.filter((provider) => !used.includes(provider));
  if (missing.length === 0) {
    return [{ type: PROVIDERS_AVAILABLE, status: 'True', reason: 'ProvidersInUse', message: '' }];
  }
  const message = `${missing.join(', ')} is not available in the pod, so ${used.join(', ')} serves`;
  return [{ type: PROVIDERS_AVAILABLE, status: 'False', reason: 'FellBack', message }];
}

type State = Omit<Finding, 'type'>;

/** Of a revision that cannot serve yet, or not any more. */
function progress(
  { waitsForOldPods, pods, initialReplicas }: RevisionObservation,
  trouble: Trouble | undefined,
): State {
  if (trouble !== undefined) {
    return { status: trouble.lasting ? 'False' : 'Unknown', reason: trouble.reason, message: trouble.message };
  }
  if (waitsForOldPods) {
    return {
      status: 'Unknown',
      reason: 'WaitingForOldPods',
      message: 'It starts when the pods of the other revisions are gone',
    };
  }
  const message = `${readyOf(pods).length} of ${initialReplicas} initial replicas are ready`;
  return { status: 'Unknown', reason: 'Starting', message };
}

function activity(
  { desired, reachable, waitsForOldPods, waitsForCapacity }: RevisionObservation,
  ready: number,
): State {
  if (ready > 0) return { status: 'True', reason: 'Serving', message: `${counted(ready)} ready` };
  if (waitsForOldPods) return { status: 'Unknown', reason: 'WaitingForOldPods', message: '' };
  if (waitsForCapacity !== undefined) {
    const { lasting, reason, message } = findWaiting(waitsForCapacity);
    return { status: lasting ? 'False' : 'Unknown', reason, message };
  }
  if (desired > 0) return { status: 'Unknown', reason: 'Starting', message: `${counted(desired)} wanted` };
  if (!reachable) return { status: 'False', reason: 'Retired', message: 'It gets no traffic' };
  return { status: 'False', reason: 'NoDemand', message: 'It is at zero; the next request wakes it' };
}

/**
 * What a pod waits for now says more than what ended one before it. At zero, the last failure counts if the next start will hardly go better, or if the
 * revision never ran and was given up; a pod that broke once is history.
 */
function findTrouble(observation: RevisionObservation): Trouble | undefined {
  const { revision, pods, desired, history, waitsForOldPods } = observation;
  const waiting = pods.find(({ phase, failure }) => phase === 'Starting' && failure !== undefined)?.failure;
  if (waiting !== undefined) {
    return {
      reason: waiting.reason,
      message: waiting.message,
      lasting: waiting.permanent,
      needsUser: waiting.permanent,
    };
  }
  if (observation.waitsForCapacity !== undefined) return findWaiting(observation.waitsForCapacity);
  const { last, failures } = history;
  const hopeless = isHopeless(history);
  const matters = desired > 0 ? readyOf(pods).length < desired : hopeless || !isProven(revision);
  if (last !== undefined && matters) {
    const lasting = hopeless || (desired === 0 && !waitsForOldPods);
    const message = failures > 1 ? `${last.message} (${failures} failed starts in a row)` : last.message;
    return { reason: last.reason, message, lasting, needsUser: hopeless && last.permanent };
  }
  return undefined;
}

/** Ends by itself, unless one replica alone needs more than there is. */
function findWaiting({ budget, need, missing, position, waiting }: Waiting): Trouble {
  const { resource, limit, held } = budget;
  const reason = 'WaitingForCapacity';
  if (need > limit) {
    const message = `A replica needs ${need} ${resource} and the budget of ${ownerOf(budget)} is ${limit}, so it can never start`;
    return { reason, message, lasting: true, needsUser: true };
  }
  const replicas = missing === 1 ? '1 replica waits' : `${missing} replicas wait`;
  const place = `place ${position} of ${waiting} in line`;
  const message = `${replicas} for ${need} ${resource} each: of the budget of ${ownerOf(budget)}, ${limit}, ${held} are in use; ${place}`;
  return { reason, message, lasting: false, needsUser: false };
}

/** Replicas take other names, so it keeps none from running. */
function findForeign(names: readonly string[]): Pick<Trouble, 'reason' | 'message'> | undefined {
  if (names.length === 0) return undefined;
  const message = `Pod ${names.join(', ')} has a replica's name and is none; replicas step over it. Delete it if nobody needs it`;
  return { reason: 'NotOwned', message };
}

function counted(replicas: number): string {
  return replicas === 1 ? '1 replica is' : `${replicas} replicas are`;
}

function readyOf(pods: readonly PodState[]): readonly PodState[] {
  return pods.filter(({ phase }) => phase === 'Ready');
}

function living(pods: readonly PodState[]): readonly PodState[] {
  return pods.filter(({ phase }) => phase === 'Ready' || phase === 'Starting');
}
