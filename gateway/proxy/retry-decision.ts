/**
 * Decides what becomes of a request whose attempt at a pod failed before any answer reached the client. Pure.
 *
 * | the attempt                                  | body whole | unanswered before | then           |
 * |----------------------------------------------|------------|-------------------|----------------|
 * | not begun: no connection, or the pod refused | yes        | any               | elsewhere      |
 * | not begun                                    | no         | any               | no-pod-in-time |
 * | unanswered: the pod died, or a stranger spoke| yes        | none              | elsewhere      |
 * | unanswered                                   | no         | none              | pod-failed     |
 * | the second pod died                          | any        | one death         | poison         |
 * | unanswered, a stranger among the two         | any        | one               | pod-failed     |
 *
 * A request that was not begun may be tried for as long as the queue's timeout allows; one that a pod may have worked on is sent once more only,
 * and one that two pods died of is kept away from the third.
 */
import type { GatewayErrorCode } from '../../common/wire/errors.ts';

/** `died`: sent, and the connection broke before an answer. `stranger`: an answer without the pod's uid, so nobody knows what was done. */
export type Unanswered = 'died' | 'stranger';
export type FailedAttempt = 'not-begun' | Unanswered;

export function decideRetry(
  attempt: FailedAttempt,
  bodyIsWhole: boolean,
  before: Unanswered | undefined,
): 'elsewhere' | GatewayErrorCode {
  if (attempt === 'not-begun') return bodyIsWhole ? 'elsewhere' : 'no-pod-in-time';
  if (before !== undefined) return before === 'died' && attempt === 'died' ? 'poison' : 'pod-failed';
  return bodyIsWhole ? 'elsewhere' : 'pod-failed';
}
