/** Decides whether a request that failed is sent again, and when. Pure. */
import { InferenceError } from './inference-error.ts';

const FIRST_MILLISECONDS = 250;
const LARGEST_MILLISECONDS = 8_000;
/** A server that asks to wait for longer is not waited for: the caller knows better what to do meanwhile. */
const LONGEST_RETRY_AFTER = 60_000;

export interface FailedAttempt {
  readonly error: unknown;
  /** Attempts before this one. */
  readonly before: number;
  readonly maxRetries: number;
  /** The request changes nothing, so a broken connection may be tried again too. */
  readonly idempotent: boolean;
  /** Milliseconds that are left of the call's timeout. */
  readonly remaining: number;
  /** From 0 to 1. */
  readonly random: number;
}

/**
 * Milliseconds to wait before the next attempt, or undefined to give up. Without `retry-after` it is the back-off 250, 500, 1000, … ms, of which the
 * later half is random; with it, that time and up to a whole back-off more, so that clients refused together do not come back together.
 * A wait that would outlast the timeout is not begun: the error at hand says more than a timeout would.
 */
export function retryDelay({
  error,
  before,
  maxRetries,
  idempotent,
  remaining,
  random,
}: FailedAttempt): number | undefined {
  if (before >= maxRetries || !(error instanceof InferenceError)) return undefined;
  if (!error.retryable && !(idempotent && error.code === 'unreachable')) return undefined;
  const backOff = Math.min(FIRST_MILLISECONDS * 2 ** before, LARGEST_MILLISECONDS);
  const { retryAfter } = error;
  if (retryAfter !== undefined && retryAfter > LONGEST_RETRY_AFTER) return undefined;
  const delay = retryAfter === undefined ? (backOff * (1 + random)) / 2 : retryAfter + backOff * random;
  return delay < remaining ? delay : undefined;
}
