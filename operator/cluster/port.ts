/**
 * The port to Kubernetes: all that the operator asks of an API server. Two adapters stand behind it, `kubernetes/` (a real one) and `memory/`
 * (local mode and tests), held to the same behaviour by `conformance/`.
 */

import type { FieldCause, KubernetesObject, ObjectMeta, OwnerReference } from '../../common/api/object.ts';

export type { FieldCause, KubernetesObject, ObjectMeta, OwnerReference };

/** A resource of the API; `T` is what its objects look like. The known ones are in `resources.ts`. */
export interface Resource<T extends KubernetesObject> {
  readonly apiVersion: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
  /** Never set; it only ties the type of the objects to the resource. */
  readonly object?: T;
}

export interface ObjectKey {
  readonly namespace?: string;
  readonly name: string;
}

export interface Scope {
  /** All namespaces if absent. */
  readonly namespace?: string;
  /** Labels that an object must have, by equality. */
  readonly labels?: Readonly<Record<string, string>>;
}

/** What is checked before a deletion; a mismatch is a Conflict. */
export interface DeleteOptions {
  readonly uid?: string;
  readonly resourceVersion?: string;
  /** Pods only: overrides terminationGracePeriodSeconds. */
  readonly gracePeriodSeconds?: number;
}

/**
 * A change that a watch saw. After a gap in the connection the adapter lists again and reports only what differs, so a watcher sees each object's
 * latest state and never misses a deletion; what happened and was undone within a gap is not seen.
 */
export type WatchEvent<T> =
  | { readonly type: 'Applied'; readonly object: T }
  /** The last known state of an object that is gone. */
  | { readonly type: 'Deleted'; readonly object: T }
  /** Everything that existed when the watch began has been reported; comes once. */
  | { readonly type: 'Synced' };

export interface Cluster {
  /** Undefined where there is none. */
  get<T extends KubernetesObject>(resource: Resource<T>, key: ObjectKey): Promise<T | undefined>;
  list<T extends KubernetesObject>(resource: Resource<T>, scope?: Scope): Promise<T[]>;
  /** Calls `onEvent` for each change, in order, until the signal aborts; it retries by itself with back-off and never ends otherwise. */
  watch<T extends KubernetesObject>(
    resource: Resource<T>,
    scope: Scope,
    onEvent: (event: WatchEvent<T>) => void,
    signal: AbortSignal,
  ): void;
  create<T extends KubernetesObject>(resource: Resource<T>, object: T): Promise<T>;
  /** Replaces all but the status; needs `metadata.resourceVersion`, a stale one is a Conflict. */
  update<T extends KubernetesObject>(resource: Resource<T>, object: T): Promise<T>;
  /** JSON merge patch of the status subresource alone; a `resourceVersion` makes it conditional. */
  patchStatus<T extends KubernetesObject>(
    resource: Resource<T>,
    key: ObjectKey & { readonly resourceVersion?: string },
    status: object,
  ): Promise<T>;
  /** Sets `spec.replicas` through the scale subresource. */
  scale<T extends KubernetesObject>(resource: Resource<T>, key: ObjectKey, replicas: number): Promise<void>;
  /** Starts the deletion; dependants follow in the background. NotFound is an error. */
  delete<T extends KubernetesObject>(resource: Resource<T>, key: ObjectKey, options?: DeleteOptions): Promise<void>;
}

/** The API server's machine-readable reasons, as far as anyone here decides by them. */
export type ClusterErrorReason =
  | 'NotFound'
  | 'AlreadyExists'
  | 'Conflict'
  | 'Invalid'
  | 'Forbidden'
  | 'TooManyRequests'
  /** No answer, a 5xx, or anything else: worth a retry. */
  | 'Unavailable';

export class ClusterError extends Error {
  override readonly name = 'ClusterError';
  readonly reason: ClusterErrorReason;
  /** HTTP status, 0 where there was no answer. */
  readonly status: number;
  /** For Invalid: each field that is wrong. */
  readonly causes: readonly FieldCause[];
  /** Seconds that the server asked to wait. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    reason: ClusterErrorReason,
    message: string,
    details: {
      readonly status?: number;
      readonly causes?: readonly FieldCause[];
      readonly retryAfterSeconds?: number;
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, { cause: details.cause });
    this.reason = reason;
    this.status = details.status ?? 0;
    this.causes = details.causes ?? [];
    this.retryAfterSeconds = details.retryAfterSeconds;
  }
}

/** True if the error is the cluster's with one of these reasons. */
export function isClusterError(error: unknown, ...reasons: ClusterErrorReason[]): error is ClusterError {
  return error instanceof ClusterError && reasons.includes(error.reason);
}
