/** Turns changes of a ModelFunction into ModelRevisions, drops old ones, and writes the function's status. Pods are the revision controller's. */
import type { Finding } from '../../common/api/conditions.ts';
import { resolveTemplate, type RuntimeImages } from '../../common/api/defaults.ts';
import type { ModelFunction, ModelRevision } from '../../common/api/kinds.ts';
import { API_VERSION, LABELS, MANAGER, PRODUCT } from '../../common/api/names.ts';
import type { Clock } from '../../common/platform/clock.ts';
import type { EventRecorder } from '../cluster/events.ts';
import { deleteExactly } from '../cluster/delete-exactly.ts';
import { isOwned } from '../cluster/is-owned.ts';
import { isClusterError, type Cluster } from '../cluster/port.ts';
import { stillExists } from '../cluster/still-exists.ts';
import { MODEL_FUNCTIONS, MODEL_REVISIONS } from '../cluster/resources.ts';
import { functionEvents } from './function-events.ts';
import { functionStatus, type FunctionUrl } from './function-status.ts';
import { viewFunction, type FunctionView } from './function-view.ts';
import { parseKey } from './object-key.ts';
import { recordEvents } from './new-event.ts';
import type { Observed } from './observed.ts';
import { planHistory, type RevisionPlan } from './plan-revisions.ts';
import { statusPatch } from './status-patch.ts';

export interface FunctionControllerOptions {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly observed: Observed;
  readonly events: Pick<EventRecorder, 'record'>;
  readonly images: RuntimeImages;
  readonly url: FunctionUrl;
}

interface Refusal extends Pick<Finding, 'reason' | 'message'> {
  /** It can go away without an event that tells: a quota grows, somebody deletes what was in the way. */
  readonly mayPass: boolean;
}

const REFUSAL_RETRY_MILLISECONDS = 30_000;

export class FunctionController {
  readonly #options: FunctionControllerOptions;

  constructor(options: FunctionControllerOptions) {
    this.#options = options;
  }

  /** Gives the milliseconds after which to look again; undefined if only an event brings more. */
  async reconcile(key: string): Promise<number | undefined> {
    const { cluster, clock, observed, events, url } = this.#options;
    const { namespace, name } = parseKey(key);
    const fn = observed.function(namespace, name);
    // What it owns goes with it.
    if (fn === undefined || fn.metadata.deletionTimestamp !== undefined) return;

    let view = viewFunction(fn, observed.revisionsOf(namespace, name));
    let refusal: Refusal | undefined;
    if (view.create !== undefined) {
      if (!(await stillExists(cluster, MODEL_FUNCTIONS, fn))) return;
      const made = await this.#create(fn, view.create);
      if ('reason' in made) refusal = made;
      else view = viewFunction(fn, [...view.revisions, made]);
    }
    await this.#dropHistory(view);

    const next = functionStatus({ view, refusal, url, now: clock.now() });
    const patch = statusPatch(fn.status, next);
    if (patch !== undefined) {
      await cluster.patchStatus(MODEL_FUNCTIONS, { namespace, name }, patch);
      recordEvents(events, fn, functionEvents(fn.status, next));
    }
    return refusal?.mayPass === true ? REFUSAL_RETRY_MILLISECONDS : undefined;
  }

  /** The revision, or why it cannot be. */
  async #create(
    fn: ModelFunction,
    { name, template }: NonNullable<RevisionPlan['create']>,
  ): Promise<ModelRevision | Refusal> {
    const { cluster, images, events } = this.#options;
    try {
      const revision = await cluster.create(
        MODEL_REVISIONS,
        makeRevision(fn, name, { template, resolved: resolveTemplate(template, images) }),
      );
      recordEvents(events, fn, [{ type: 'Normal', reason: 'RevisionCreated', message: `Created revision ${name}` }]);
      return revision;
    } catch (error) {
      if (isClusterError(error, 'Invalid')) {
        return { reason: 'SpecInvalid', message: error.message, mayPass: false };
      }
      if (isClusterError(error, 'Forbidden')) {
        const reason = error.message.includes('exceeded quota') ? 'QuotaExceeded' : 'SpecInvalid';
        return { reason, message: error.message, mayPass: true };
      }
      if (!isClusterError(error, 'AlreadyExists')) throw error;
    }
    const { namespace = '' } = fn.metadata;
    const existing = await cluster.get(MODEL_REVISIONS, { namespace, name });
    const owners = existing?.metadata.ownerReferences ?? [];
    const isFormer = owners.some((owner) => owner.kind === fn.kind && owner.name === fn.metadata.name);
    if (existing === undefined || isOwned(existing.metadata, fn.metadata.uid) || isFormer) {
      // It was made a moment ago, or belongs to a function of this name that is still being collected: either is over soon.
      throw new Error(`Revision ${namespace}/${name} exists already and is not seen yet, or is being deleted`);
    }
    const message = `ModelRevision ${name} exists and belongs to somebody else; delete it`;
    return { reason: 'NotOwned', message, mayPass: true };
  }

  async #dropHistory(view: FunctionView): Promise<void> {
    const { cluster, observed, events } = this.#options;
    const { function: fn, revisions, latestCreated, latestReady, reachable } = view;
    const { namespace = '' } = fn.metadata;
    // What the spec names is kept also while its traffic cannot be as the spec says, or waiting for one revision would lose another.
    const kept = new Set([...reachable, ...fn.spec.traffic.map(({ revision }) => revision)]);
    // Without the latest one the spec would look like a change.
    for (const latest of [latestCreated, latestReady]) if (latest !== undefined) kept.add(latest.metadata.name);
    const names = revisions.map(({ metadata }) => metadata.name);
    const withPods = new Set(names.filter((name) => observed.podsOf(namespace, name).length > 0));
    for (const { metadata } of planHistory(revisions, { kept, withPods, limit: fn.spec.revisionHistoryLimit })) {
      await deleteExactly(cluster, MODEL_REVISIONS, metadata);
      const message = `Deleted old revision ${metadata.name}`;
      recordEvents(events, fn, [{ type: 'Normal', reason: 'RevisionDeleted', message }]);
    }
  }
}

function makeRevision(
  { apiVersion, kind, metadata }: ModelFunction,
  name: string,
  spec: Pick<ModelRevision['spec'], 'template' | 'resolved'>,
): ModelRevision {
  return {
    apiVersion: API_VERSION,
    kind: 'ModelRevision',
    metadata: {
      name,
      ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
      labels: {
        [LABELS.function]: metadata.name,
        [LABELS.name]: PRODUCT,
        [LABELS.instance]: metadata.name,
        [LABELS.managedBy]: MANAGER,
        [LABELS.partOf]: PRODUCT,
      },
      ownerReferences: [
        { apiVersion, kind, name: metadata.name, uid: metadata.uid ?? '', controller: true, blockOwnerDeletion: true },
      ],
    },
    spec: { functionName: metadata.name, replicas: 0, ...spec },
  };
}
