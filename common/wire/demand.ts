import type { Announcement } from './announcement.ts';

/**
 * What a gateway measured, as totals since it started: a record that is lost, late or doubled neither adds nor loses demand. The operator
 * differentiates over `uptimeSeconds`, the gateway's own clock, never over arrival times.
 *
 * A full record begins each stream; then changed revisions only, a heartbeat each second, and a record at once, or within 10 ms of the one before,
 * when a request finds no pod of its revision, which had none to serve, and when a pod announces itself.
 */
export interface DemandRecord {
  readonly type: 'demand';
  /** Random per process start: totals of another boot id start anew at zero. */
  readonly bootId: string;
  /** Counts the records of one boot; a record that is not newer than the last one is ignored. */
  readonly sequence: number;
  /** Seconds of the gateway's monotonic clock since it started. */
  readonly uptimeSeconds: number;
  readonly full: boolean;
  readonly revisions: readonly RevisionDemand[];
  /** Pods that announced themselves since the last record; in a full record all that are known by announcement. */
  readonly announcements: readonly Announcement[];
  /**
   * Ids of the signing keys that this gateway checks pods' tokens with, all of them each time: a new key signs only once every gateway has it. Absent
   * from a gateway that is older than this field; an operator that is older does not read it.
   */
  readonly keys?: readonly string[];
}

export interface RevisionDemand {
  readonly namespace: string;
  readonly revision: string;
  /** Integral over time of the requests in the gateway, queued ones included: request-seconds since boot. */
  readonly requestSeconds: number;
  /** Requests that arrived since boot; a request counts once, through retries and forwarding. */
  readonly requests: number;
  /** Sent to a pod, now. */
  readonly inFlight: number;
  /** Held, now. */
  readonly queued: number;
}
