/**
 * Decides in how many seconds a request that could not be held is worth sending again. Pure.
 *
 * | the answer       | pods | then                                                                        |
 * |------------------|------|-----------------------------------------------------------------------------|
 * | `queue-full`     | none | what is left of the start, counted from the oldest request that waits       |
 * | `queue-full`     | some | 1: places come free at the pace of inference                                |
 * | `no-pod-in-time` | none | what is left of the start, counted from the arrival of this one             |
 * | `no-pod-in-time` | some | a whole start: those that there are do not keep up, and another takes that  |
 * | any other        | any  | 1                                                                           |
 *
 * A start of 40 s, of which a request waited 25: 15.
 */
import type { GatewayErrorCode } from '../../common/wire/errors.ts';

const LEAST_SECONDS = 1;
/** A client that waits longer has been given up by whoever waits for it. */
const MOST_SECONDS = 300;

export interface StartingRevision {
  /** From a pod's creation to its announcement, as learned; undefined before the first. */
  readonly startSeconds: number | undefined;
  /** It has no pod. */
  readonly isCold: boolean;
  /** Seconds since the start began, as far as can be told by the request that has waited longest. */
  readonly waitedSeconds: number;
}

/** A whole number. */
export function retryAfter(code: GatewayErrorCode, { startSeconds, isCold, waitedSeconds }: StartingRevision): number {
  if (startSeconds === undefined || (code !== 'queue-full' && code !== 'no-pod-in-time')) return LEAST_SECONDS;
  if (!isCold) return code === 'queue-full' ? LEAST_SECONDS : bounded(startSeconds);
  return bounded(startSeconds - waitedSeconds);
}

function bounded(seconds: number): number {
  return Math.min(MOST_SECONDS, Math.max(LEAST_SECONDS, Math.ceil(seconds)));
}
