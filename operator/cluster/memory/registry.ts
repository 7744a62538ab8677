/**
 * The verbs of an API server on the store: identity, optimistic concurrency, generations, subresources, admission and deletion. Each is a single
 * step that either happens whole or throws a ClusterError.
 */
import { timestamp } from '../../../common/api/conditions.ts';
import type { Clock } from '../../../common/platform/clock.ts';
import type { DeleteOptions, FieldCause, KubernetesObject, ObjectKey, ObjectMeta, Scope } from '../port.ts';
import type { Pod } from '../resources.ts';
import { alreadyExists, conflict, invalid, noSuchResource, notFound, staleVersion } from './api-errors.ts';
import { isFinished, planDeletion } from './deletion.ts';
import { isJsonObject, jsonCopy, jsonEqual, mergePatch } from './json.ts';
import { metadataCauses } from './object-metadata.ts';
import { BUILT_IN_RESOURCES, type ResourceDefinition } from './resource-definition.ts';
import type { Store } from './store.ts';
import {
  resourceId,
  type ResourceId,
  type StoredMeta,
  type StoredObject,
  type UnstampedObject,
} from './stored-object.ts';

/** As etcd limits it. */
const MAX_OBJECT_CHARACTERS = 1.5 * 1024 * 1024;

type AnyObject = KubernetesObject & Readonly<Record<string, unknown>>;

export interface RegistryOptions {
  readonly store: Store;
  readonly clock: Clock;
  /** Between 0 and 1; makes the uids. */
  readonly random: () => number;
  /** Beside the built-in ones. */
  readonly resources: readonly ResourceDefinition[];
}

export class Registry {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #definitions: ReadonlyMap<ResourceId, ResourceDefinition>;

  constructor({ store, clock, random, resources }: RegistryOptions) {
    this.#store = store;
    this.#clock = clock;
    this.#random = random;
    this.#definitions = new Map([...BUILT_IN_RESOURCES, ...resources].map((each) => [resourceId(each), each]));
  }

  serves(resource: ResourceId): boolean {
    return this.#definitions.has(resource);
  }

  get(resource: ResourceId, key: ObjectKey): StoredObject | undefined {
    return this.#store.get(resource, this.#key(this.definition(resource), key));
  }

  list(resource: ResourceId, scope: Scope = {}): StoredObject[] {
    this.definition(resource);
    return [...this.#store.list(resource, scope)];
  }

  create(resource: ResourceId, input: KubernetesObject): StoredObject {
    const definition = this.definition(resource);
    const object = decode(definition, input);
    const { name, resourceVersion } = object.metadata;
    if (resourceVersion !== undefined)
      throw invalid(definition, name, [
        forbidden('metadata.resourceVersion', 'must not be set on an object to be created'),
      ]);
    const { status, ...rest } = object;
    const metadata = {
      ...writableMetadata(object.metadata),
      uid: uuid(this.#random),
      creationTimestamp: timestamp(this.#clock.now()),
      ...(definition.generation && { generation: 1 }),
    };
    const admitted = admit(definition, definition.status ? rest : { ...rest, status }, undefined);
    const existing = this.#store.get(resource, metadata);
    if (existing !== undefined)
      throw alreadyExists(definition, metadata, existing.metadata.deletionTimestamp !== undefined);
    return this.#store.put({ ...admitted, metadata });
  }

  update(resource: ResourceId, input: KubernetesObject): StoredObject {
    const definition = this.definition(resource);
    const object = decode(definition, input);
    const { name, resourceVersion } = object.metadata;
    const old = this.#existing(definition, object.metadata);
    if (resourceVersion === undefined || resourceVersion === '')
      throw invalid(definition, name, [forbidden('metadata.resourceVersion', 'must be specified for an update')]);
    if (resourceVersion !== old.metadata.resourceVersion) throw staleVersion(definition, old.metadata);
    const metadata = { ...writableMetadata(object.metadata), ...serverMetadata(old.metadata) };
    const { finalizers = [] } = old.metadata;
    const added = metadata.finalizers?.filter((finalizer) => !finalizers.includes(finalizer)) ?? [];
    if (old.metadata.deletionTimestamp !== undefined && added.length > 0)
      throw invalid(definition, name, [
        forbidden('metadata.finalizers', 'no new finalizers can be added if the object is being deleted'),
      ]);
    const { status, ...rest } = object;
    const next = { ...rest, status: definition.status ? old['status'] : status };
    return this.#write(definition, { ...admit(definition, next, old), metadata }, old);
  }

  patchStatus(
    resource: ResourceId,
    key: ObjectKey & { readonly resourceVersion?: string },
    patch: object,
  ): StoredObject {
    const definition = this.definition(resource);
    if (!definition.status) throw noSuchResource(`${definition.plural}/status`);
    const old = this.#existing(definition, key);
    if (key.resourceVersion !== undefined && key.resourceVersion !== old.metadata.resourceVersion)
      throw staleVersion(definition, old.metadata);
    const status = mergePatch(old['status'], jsonCopy(patch));
    const admitted = admit(definition, { ...old, status }, old);
    return this.#write(definition, { ...admitted, metadata: old.metadata }, old);
  }

  scale(resource: ResourceId, key: ObjectKey, replicas: number): void {
    const definition = this.definition(resource);
    if (!definition.scale) throw noSuchResource(`${definition.plural}/scale`);
    const old = this.#existing(definition, key);
    if (!Number.isSafeInteger(replicas) || replicas < 0)
      throw invalid(definition, key.name, [
        { field: 'spec.replicas', message: `Invalid value: ${replicas}: must be a whole number that is not negative` },
      ]);
    const spec = isJsonObject(old['spec']) ? old['spec'] : {};
    const admitted = admit(definition, { ...old, spec: { ...spec, replicas } }, old);
    this.#write(definition, { ...admitted, metadata: old.metadata }, old);
  }

  delete(resource: ResourceId, key: ObjectKey, options: DeleteOptions = {}): void {
    const definition = this.definition(resource);
    const old = this.#existing(definition, key);
    const { uid, resourceVersion, gracePeriodSeconds } = options;
    if (uid !== undefined && uid !== old.metadata.uid)
      throw conflict(definition, key, `its uid is ${old.metadata.uid}, not ${uid}`);
    if (resourceVersion !== undefined && resourceVersion !== old.metadata.resourceVersion)
      throw staleVersion(definition, old.metadata);
    const plan = planDeletion(old, gracePeriodSeconds, this.#clock.now());
    if (plan.type === 'Remove') this.#store.remove(old);
    else if (plan.type === 'Mark') this.#store.put(plan.object);
  }

  /** The node's writes to a pod: no admission, and nothing happens if the pod is gone or another has its name. */
  writePod(pod: Pod, change: (current: Pod) => Pod): void {
    const definition = this.definition('v1/Pod');
    const old = this.#store.get('v1/Pod', pod.metadata);
    if (old === undefined || old.metadata.uid !== pod.metadata.uid) return;
    this.#write(definition, change(old as unknown as Pod) as unknown as UnstampedObject, old);
  }

  /** The node's word that a pod's program has ended: a deleted pod goes now. */
  confirmPodDeletion({ metadata }: Pod): void {
    if (this.#store.get('v1/Pod', metadata)?.metadata.uid !== metadata.uid) return;
    this.delete('v1/Pod', metadata, { gracePeriodSeconds: 0 });
  }

  /** Throws what a server says that has no such resource. */
  definition(resource: ResourceId): ResourceDefinition {
    const definition = this.#definitions.get(resource);
    if (definition === undefined) throw noSuchResource(resource);
    return definition;
  }

  #existing(definition: ResourceDefinition, key: ObjectKey): StoredObject {
    const object = this.#store.get(resourceId(definition), this.#key(definition, key));
    if (object === undefined) throw notFound(definition, key);
    return object;
  }

  #key(definition: ResourceDefinition, { namespace, name }: ObjectKey): ObjectKey {
    if (!definition.namespaced) return { name };
    if (namespace !== undefined) return { namespace, name };
    throw invalid(definition, name, [{ field: 'metadata.namespace', message: 'Required value' }]);
  }

  /** A write that changes nothing keeps the resourceVersion and wakes nobody. */
  #write(definition: ResourceDefinition, next: UnstampedObject, old: StoredObject): StoredObject {
    const { generation = 0, resourceVersion } = old.metadata;
    if (jsonEqual({ ...next, metadata: { ...next.metadata, resourceVersion } }, old)) return old;
    const grown =
      definition.generation && !jsonEqual(desired(next), desired(old)) ? { generation: generation + 1 } : {};
    const stored = this.#store.put({ ...next, metadata: { ...next.metadata, ...grown } });
    if (isFinished(stored)) this.#store.remove(stored);
    return stored;
  }
}

/** A private copy whose metadata can be relied on; `labels:` with nothing after it, which YAML reads as null, is no labels. */
function decode(definition: ResourceDefinition, input: KubernetesObject): AnyObject {
  const text = JSON.stringify(input);
  const parsed = JSON.parse(text) as Readonly<Record<string, unknown>>;
  const given = isJsonObject(parsed['metadata']) ? parsed['metadata'] : {};
  const metadata = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null));
  const object = { ...parsed, metadata } as unknown as AnyObject;
  const causes = metadataCauses(definition, metadata);
  for (const field of ['apiVersion', 'kind'] as const)
    if (object[field] !== definition[field])
      causes.push({ field, message: `Invalid value: "${object[field]}": must be "${definition[field]}"` });
  if (text.length > MAX_OBJECT_CHARACTERS)
    causes.push({ field: '', message: `Too long: an object may have at most ${MAX_OBJECT_CHARACTERS} characters` });
  if (causes.length === 0) return object;
  throw invalid(definition, object.metadata.name, causes);
}

function admit(definition: ResourceDefinition, object: AnyObject, old: StoredObject | undefined): AnyObject {
  const copy = jsonCopy(object);
  if (definition.admit === undefined) return copy;
  const { object: admitted, causes } = definition.admit(copy, old);
  if (causes.length > 0) throw invalid(definition, object.metadata.name, causes);
  return { ...admitted };
}

/** What a client decides; the rest is the server's. Empty maps and lists are as good as none. */
function writableMetadata({
  name,
  namespace,
  labels = {},
  annotations = {},
  ownerReferences = [],
  finalizers = [],
}: ObjectMeta): Pick<ObjectMeta, 'name' | 'namespace' | 'labels' | 'annotations' | 'ownerReferences' | 'finalizers'> {
  return {
    name,
    ...(namespace !== undefined && namespace !== '' && { namespace }),
    ...(Object.keys(labels).length > 0 && { labels }),
    ...(Object.keys(annotations).length > 0 && { annotations }),
    ...(ownerReferences.length > 0 && { ownerReferences }),
    ...(finalizers.length > 0 && { finalizers }),
  };
}

/** What no client changes by an update; without the resourceVersion, which the store sets. */
function serverMetadata(metadata: StoredMeta): Omit<StoredMeta, 'name' | 'resourceVersion'> {
  const { uid, creationTimestamp, generation, deletionTimestamp, deletionGracePeriodSeconds } = metadata;
  return {
    uid,
    creationTimestamp,
    ...(generation !== undefined && { generation }),
    ...(deletionTimestamp !== undefined && { deletionTimestamp }),
    ...(deletionGracePeriodSeconds !== undefined && { deletionGracePeriodSeconds }),
  };
}

/** What a generation counts: all but metadata and status. */
function desired(object: UnstampedObject): unknown {
  return { ...object, metadata: undefined, status: undefined };
}

function forbidden(field: string, message: string): FieldCause {
  return { field, message: `Invalid value: ${message}` };
}

/** RFC 9562 version 4, from the given randomness. */
function uuid(random: () => number): string {
  return 'xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx'.replace(/[xy]/g, (letter) => {
    const digit = Math.floor(random() * 16);
    return (letter === 'x' ? digit : (digit & 3) | 8).toString(16);
  });
}
