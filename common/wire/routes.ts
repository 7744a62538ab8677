import type { PodAddress } from './announcement.ts';

/**
 * What a gateway must know to serve, sent by the leading operator over its stream. Updates are ordered by (epoch, sequence): an update of a lower
 * epoch is ignored, and one that does not follow the last sequence ends the stream, so that the next one begins with a full update.
 */
export interface RoutesUpdate {
  readonly type: 'routes';
  /** Of the leader's term; higher wins. */
  readonly epoch: number;
  /** Counts the updates of one stream from 1. */
  readonly sequence: number;
  /** True: this is everything, and functions that are not named are gone. */
  readonly full: boolean;
  readonly functions: readonly FunctionRoute[];
  /** Functions that are gone; empty in a full update. */
  readonly removed: readonly FunctionName[];
  /**
   * Gateways among which revisions with a concurrencyLimit are shared out, in every full update and in those with which they change. Absent from an
   * operator that is older than this field; a gateway that is older does not read it.
   */
  readonly gateways?: GatewaysRoute;
}

export interface GatewaysRoute {
  /** Which one the reader is, by its id; it need not be among them. */
  readonly self: string;
  readonly all: readonly GatewayRoute[];
}

/** Where another gateway can ask this one for slots. */
export interface GatewayRoute {
  /** Its own for as long as it lives, the same in what all gateways are sent. */
  readonly id: string;
  readonly host: string;
  readonly controlPort: number;
}

export interface FunctionName {
  readonly namespace: string;
  readonly name: string;
}

export type Visibility = 'Cluster' | 'External';

export interface FunctionRoute extends FunctionName {
  readonly visibility: Visibility;
  /** Seconds the execution of one request may take. */
  readonly timeoutSeconds: number;
  /** Requests in one pod at once; 0 for no limit. */
  readonly concurrencyLimit: number;
  readonly queue: { readonly maxRequests: number; readonly maxBytes: number; readonly timeoutSeconds: number };
  /** Revisions by name, percentages adding up to 100; a tagged one may have 0 and is reached as `<tag>--<function>`. */
  readonly traffic: readonly TrafficRoute[];
  /** Every revision that lives, also one that gets no traffic yet: its pods announce themselves too. */
  readonly revisions: readonly RevisionRoute[];
}

export interface TrafficRoute {
  readonly revision: string;
  readonly percent: number;
  readonly tag?: string;
}

export interface RevisionRoute {
  readonly name: string;
  readonly pods: readonly PodRoute[];
  /** Why no pod can be had: requests are answered 503 with this instead of being held. Absent while there is hope. */
  readonly failure?: { readonly reason: string; readonly message: string };
  /**
   * Seconds that a pod of it takes from its creation to its announcement, by the median of the last few starts, at least 0. Absent while none was
   * seen, and from an operator that is older than this field; a gateway that is older does not read it.
   */
  readonly startSeconds?: number;
}

export interface PodRoute extends PodAddress {
  readonly name: string;
  readonly uid: string;
  /** A terminating pod gets no new request; it is listed until it is gone, so that its late announcement is not believed. */
  readonly state: 'Ready' | 'Terminating';
  /**
   * More pods are ready than are wanted, and this one is to go once no request is in it: it gets new ones only while no other pod has room. Absent of all
   * others; a gateway that is older than this field does not read it.
   */
  readonly spare?: boolean;
}
