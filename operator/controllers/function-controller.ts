/**
 * Turns changes of a ModelFunction into ModelRevisions, drops old ones, keeps its Services, and writes the function's status. Pods are the revision
 * controller's.
 */
import { resolveTemplate, type RuntimeImages } from '../../common/api/defaults.ts';
import type { ModelFunction, ModelRevision } from '../../common/api/kinds.ts';
import { API_VERSION, functionLabels } from '../../common/api/names.ts';
import type { Clock } from '../../common/platform/clock.ts';
import { belongsTo } from '../cluster/belongs-to.ts';
import { controllerReference } from '../cluster/controller-reference.ts';
import type { EventRecorder } from '../cluster/events.ts';
import { deleteExactly } from '../cluster/delete-exactly.ts';
import { isClusterError, type Cluster, type ObjectMeta } from '../cluster/port.ts';
import { REFUSAL_RETRY_MILLISECONDS, refusalOf, type Refusal } from '../cluster/refusal.ts';
import { restoredMetadata } from '../cluster/restored-metadata.ts';
import { stillExists } from '../cluster/still-exists.ts';
import { MODEL_FUNCTIONS, MODEL_REVISIONS, SERVICES, type Service } from '../cluster/resources.ts';
import { applyServices } from '../services/apply-services.ts';
import { buildServices } from '../services/build-services.ts';
import { planServices } from '../services/plan-services.ts';
import { functionEvents } from './function-events.ts';
import { functionStatus, type FunctionUrl } from './function-status.ts';
import { viewFunction, type FunctionView } from './function-view.ts';
import { parseKey } from '../cluster/object-key.ts';
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
  /** DNS name of the gateways' Service, where the functions' own Services lead; undefined: functions have none. */
  readonly gatewayHost: string | undefined;
}

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
    await this.#restore(view);
    await this.#dropHistory(view);
    // After the revision: its first pod need not wait for them.
    const { serviceRefusal, hasUnwatched } = await this.#keepServices(view);

    const next = functionStatus({ view, refusal, serviceRefusal, url, now: clock.now() });
    const patch = statusPatch(fn.status, next);
    if (patch !== undefined) {
      await cluster.patchStatus(MODEL_FUNCTIONS, { namespace, name }, patch);
      recordEvents(events, fn, functionEvents(fn.status, next));
    }
    const mayPass = [refusal, serviceRefusal].some((each) => each?.mayPass === true);
    return mayPass || hasUnwatched ? REFUSAL_RETRY_MILLISECONDS : undefined;
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
      const refusal = refusalOf(error);
      if (refusal !== undefined) return refusal;
      if (!isClusterError(error, 'AlreadyExists')) throw error;
    }
    const { namespace = '' } = fn.metadata;
    const existing = await cluster.get(MODEL_REVISIONS, { namespace, name });
    const owners = existing?.metadata.ownerReferences ?? [];
    const isFormer = owners.some((owner) => owner.kind === fn.kind && owner.name === fn.metadata.name);
    if (existing === undefined || belongsTo(existing.metadata, fn) || isFormer) {
      // It was made a moment ago, or belongs to a function of this name that is still being collected: either is over soon.
      throw new Error(`Revision ${namespace}/${name} exists already and is not seen yet, or is being deleted`);
    }
    const message = `ModelRevision ${name} exists and belongs to somebody else; delete it`;
    return { reason: 'NotOwned', message, mayPass: true };
  }

  /** Puts back labels and owners that somebody took off its revisions. The specs are frozen, all but the replicas. */
  async #restore({ function: fn, revisions }: FunctionView): Promise<void> {
    for (const revision of revisions) {
      const metadata = restoredMetadata(revision.metadata, revisionMetadata(fn));
      if (metadata !== undefined) await this.#options.cluster.update(MODEL_REVISIONS, { ...revision, metadata });
    }
  }

  /** Gives why callers do not reach it by its name, and whether a Service of such a name was there of which no event tells. */
  async #keepServices({
    function: fn,
    traffic,
  }: FunctionView): Promise<{ readonly serviceRefusal: Refusal | undefined; readonly hasUnwatched: boolean }> {
    const { cluster, observed, gatewayHost } = this.#options;
    const { namespace = '', name } = fn.metadata;
    // Traffic that cannot be as the spec says stays as it was, and so do the names of its tags.
    const tags = new Set([...fn.spec.traffic, ...traffic].map(({ tag }) => tag).filter((tag) => tag !== undefined));
    const wanted = gatewayHost === undefined ? [] : buildServices(fn, [...tags], gatewayHost);
    const watched = observed.servicesOf(namespace, name);
    const unwatched = await this.#unwatchedServices(wanted, watched);
    const plan = planServices(fn, wanted, [...watched, ...unwatched]);
    return { serviceRefusal: await applyServices(cluster, fn, plan), hasUnwatched: unwatched.length > 0 };
  }

  /** Those of the wanted names without the operator's label: somebody else's, or the function's that was stripped of it. */
  async #unwatchedServices(wanted: readonly Service[], watched: readonly Service[]): Promise<Service[]> {
    const names = new Set(watched.map(({ metadata }) => metadata.name));
    const unknown = wanted.filter(({ metadata }) => !names.has(metadata.name));
    const found = await Promise.all(unknown.map(({ metadata }) => this.#options.cluster.get(SERVICES, metadata)));
    return found.filter((service) => service !== undefined);
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
  fn: ModelFunction,
  name: string,
  spec: Pick<ModelRevision['spec'], 'template' | 'resolved'>,
): ModelRevision {
  const { namespace, name: functionName } = fn.metadata;
  return {
    apiVersion: API_VERSION,
    kind: 'ModelRevision',
    metadata: { name, ...(namespace === undefined ? {} : { namespace }), ...revisionMetadata(fn) },
    spec: { functionName, replicas: 0, ...spec },
  };
}

function revisionMetadata(fn: ModelFunction): Pick<ObjectMeta, 'labels' | 'ownerReferences'> {
  return { labels: functionLabels(fn.metadata.name), ownerReferences: [controllerReference(fn)] };
}
