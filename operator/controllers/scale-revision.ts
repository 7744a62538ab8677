/** Brings a revision's pods to the number that is wanted: plans, creates, removes, asks idle ones to go. */
import type { Clock } from '../../common/platform/clock.ts';
import type { SigningKey } from '../../common/wire/tokens.ts';
import { deleteExactly } from '../cluster/delete-exactly.ts';
import type { Cluster } from '../cluster/port.ts';
import { MODEL_REVISIONS, PODS } from '../cluster/resources.ts';
import { stillExists } from '../cluster/still-exists.ts';
import { createPods, isTaken } from '../pods/create-pods.ts';
import type { DrainClient } from '../pods/drain-client.ts';
import { planPods } from '../pods/plan-pods.ts';
import type { PodSettings } from '../pods/pod-settings.ts';
import { buildPod } from '../pods/pod-spec.ts';
import type { PodState } from '../pods/pod-state.ts';
import { drainPods } from '../pods/remove-pods.ts';
import { NO_FAILURES, recordFailure } from '../pods/start-history.ts';
import { healing } from './observe-revision.ts';
import type { RevisionMetrics } from './revision-metrics.ts';
import type { RevisionSubject } from './revision-subject.ts';

export interface ScaleOptions {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly askToDrain: DrainClient;
  readonly metrics: RevisionMetrics;
  /** Of new pods' tokens, at this moment. */
  readonly signingKey: () => SigningKey;
  /** `host:port` of each gateway's control port, at this moment. */
  readonly gateways: () => readonly string[];
  readonly logLevel: string;
  readonly podSettings: PodSettings;
}

/** Whoever was busy is asked again after this. */
const DRAIN_RETRY_MILLISECONDS = 1000;
/** How long until somebody else's pod is looked at again. */
const FOREIGN_RETRY_MILLISECONDS = 30_000;

/** Gives the milliseconds after which there is more to do; undefined if only an event brings more. */
export async function scaleRevision(
  options: ScaleOptions,
  subject: RevisionSubject,
  desired: number,
): Promise<number | undefined> {
  const { revision, view, memory, pods } = subject;
  const { maxUnschedulable } = view.function.spec.scaling;
  const takenNames = new Set([...subject.takenNames, ...memory.foreign]);
  const plan = planPods({ revision: revision.metadata.name, pods, takenNames, desired, maxUnschedulable });

  const blockedFor = memory.history.retryAt - options.clock.now();
  const created = blockedFor > 0 || plan.create.length === 0 ? undefined : await create(options, subject, plan.create);
  memory.unansweredWake = undefined;
  await Promise.all(plan.remove.map((pod) => remove(options, subject, pod)));
  const askAgain = plan.drainCount === 0 ? undefined : await drain(options, subject, plan.drain, plan.drainCount);

  const waits = [
    plan.create.length > 0 && blockedFor > 0 ? blockedFor : undefined,
    created,
    askAgain,
    await recheckForeign(options, subject),
  ];
  return soonest(waits);
}

export function soonest(waits: readonly (number | undefined)[]): number | undefined {
  const known = waits.filter((wait) => wait !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}

/** Gives 0 if a name turned out to be taken, so that the next free one is tried at once. */
async function create(
  options: ScaleOptions,
  subject: RevisionSubject,
  names: readonly string[],
): Promise<number | undefined> {
  const { cluster, clock, metrics } = options;
  const { revision, view, memory } = subject;
  // Not while callers wait: what wakes a revision is no end of its pods.
  if (memory.unansweredWake === undefined && !(await stillExists(cluster, MODEL_REVISIONS, revision))) return undefined;
  const pods = names.map((name) =>
    buildPod(revision, {
      name,
      attempt: memory.history.failures,
      timeoutSeconds: view.function.spec.timeoutSeconds,
      gateways: options.gateways(),
      key: options.signingKey(),
      logLevel: options.logLevel,
      settings: options.podSettings,
    }),
  );
  if (memory.unansweredWake !== undefined) metrics.wake.observe((clock.monotonic() - memory.unansweredWake) / 1000);
  metrics.podsCreated.inc(pods.length);
  const { foreign, failure } = await createPods(cluster, revision, pods);
  for (const name of foreign) memory.foreign.add(name);
  if (failure !== undefined) {
    metrics.failures.inc({ reason: failure.reason });
    memory.history = recordFailure(memory.history, failure, memory.history.failures, clock.now());
    return Math.max(0, memory.history.retryAt - clock.now());
  }
  return foreign.length > 0 ? 0 : undefined;
}

async function remove(
  { cluster, metrics }: ScaleOptions,
  { revision, memory }: RevisionSubject,
  { name, uid }: PodState,
): Promise<void> {
  await deleteExactly(cluster, PODS, { namespace: revision.metadata.namespace ?? '', name, uid });
  memory.deleted.add(uid);
  metrics.podsDeleted.inc();
}

/** However often the revision is looked at, its pods are asked once a second. Gives how long until those that did not go are asked again. */
async function drain(
  { cluster, clock, metrics, askToDrain }: ScaleOptions,
  { revision, memory }: RevisionSubject,
  pods: readonly PodState[],
  count: number,
): Promise<number | undefined> {
  const { namespace = '' } = revision.metadata;
  const now = clock.monotonic();
  if (now < memory.drainAgainAt) return memory.drainAgainAt - now;
  const gone = await drainPods(cluster, {
    clock,
    namespace,
    pods,
    count,
    unanswered: memory.unanswered,
    deleted: memory.deleted,
    ask: ({ drainToken = '' }, address) => askToDrain(address, drainToken),
  });
  metrics.podsDeleted.inc(gone);
  const givenBack = pods.filter(({ uid }) => memory.deleted.has(uid));
  // One that was ready until nobody needed it did not fail, and where windows are short that is before it was ready for long.
  if (healing(memory, givenBack).length > 0) memory.history = NO_FAILURES;
  if (gone === count) return undefined;
  memory.drainAgainAt = now + DRAIN_RETRY_MILLISECONDS;
  return DRAIN_RETRY_MILLISECONDS;
}

/** Somebody else's pod may be gone. */
async function recheckForeign(
  { cluster }: ScaleOptions,
  { revision, memory }: RevisionSubject,
): Promise<number | undefined> {
  await Promise.all(
    [...memory.foreign].map(async (name) => {
      if (!(await isTaken(cluster, revision, name))) memory.foreign.delete(name);
    }),
  );
  return memory.foreign.size > 0 ? FOREIGN_RETRY_MILLISECONDS : undefined;
}
