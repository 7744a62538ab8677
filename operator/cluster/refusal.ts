/** Why the API server will not take what a function needs, as far as people are to hear of it. */
import type { Finding } from '../../common/api/conditions.ts';
import { isNamespaceEnding } from './is-namespace-ending.ts';
import { isClusterError } from './port.ts';

export interface Refusal extends Pick<Finding, 'reason' | 'message'> {
  /** It can go away without an event that tells: a quota grows, somebody deletes what was in the way. */
  readonly mayPass: boolean;
}

/** How long until what may pass without an event is looked at again. */
export const REFUSAL_RETRY_MILLISECONDS = 30_000;

/** Undefined for what is worth a retry, and for what is nobody's fault. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (isClusterError(error, 'Invalid')) return { reason: 'SpecInvalid', message: error.message, mayPass: false };
  if (!isClusterError(error, 'Forbidden') || isNamespaceEnding(error)) return undefined;
  const reason = error.message.includes('exceeded quota') ? 'QuotaExceeded' : 'SpecInvalid';
  return { reason, message: error.message, mayPass: true };
}
