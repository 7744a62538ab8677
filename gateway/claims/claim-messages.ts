/**
 * What gateways say to one another about a revision whose pods' slots one of them gives out: `POST /v1/claims` with the control token on the owner's control
 * port, both bodies open, one JSON message a line. Requests and answers do not pass here: who is granted a slot sends the request to the pod itself.
 */
import { boolean, fields, integer, name, number, oneOf, optional } from '../../common/wire/fields.ts';
import { parseAddress, parseUid } from '../../common/wire/parse-announcement.ts';
import { REST_REASONS } from '../revision/pod-rest.ts';
import type { ClaimOutcome, ClaimRequest, GrantedPod } from '../revision/slot-owner.ts';

export const CLAIMS_PATH = '/v1/claims';

/** Far more than any message has. */
export const MAX_CLAIM_LINE_BYTES = 16 * 1024;

/** Bytes that wait for a gateway that does not read. */
export const MOST_UNSENT_BYTES = 16 * 1024 * 1024;

/** Each side says something this often, and takes the other for gone after so long without a word. */
export const BEAT_MILLISECONDS = 1_000;
export const SILENCE_MILLISECONDS = 3_000;

export interface Beat {
  readonly type: 'beat';
}

/** `id` is the claimant's own within the stream. */
export type ClaimantMessage =
  | Beat
  | ({ readonly type: 'claim'; readonly id: number } & ClaimRequest)
  | { readonly type: 'release'; readonly id: number; readonly outcome?: ClaimOutcome };

export type OwnerMessage =
  | Beat
  | { readonly type: 'grant'; readonly id: number; readonly pod: GrantedPod }
  | { readonly type: 'deny'; readonly id: number };

/** Throws a FieldError. */
export function parseClaimantMessage(value: unknown): ClaimantMessage {
  const given = fields(value, 'message');
  const type = oneOf(given['type'], 'type', ['claim', 'release', 'beat']);
  if (type === 'beat') return { type };
  const id = integer(given['id'], 'id', 1, Number.MAX_SAFE_INTEGER);
  if (type === 'release') {
    return { type, id, ...optional(given, 'outcome', 'message', (outcome, at) => parseOutcome(outcome, at)) };
  }
  return {
    type,
    id,
    namespace: name(given['namespace'], 'namespace'),
    revision: name(given['revision'], 'revision'),
    waited: number(given['waited'], 'waited'),
    again: boolean(given['again'], 'again'),
  };
}

function parseOutcome(value: unknown, path: string): ClaimOutcome {
  return typeof value === 'number' ? integer(value, path, 200, 999) : oneOf(value, path, REST_REASONS);
}

/** Throws a FieldError. */
export function parseOwnerMessage(value: unknown): OwnerMessage {
  const given = fields(value, 'message');
  const type = oneOf(given['type'], 'type', ['grant', 'deny', 'beat']);
  if (type === 'beat') return { type };
  const id = integer(given['id'], 'id', 1, Number.MAX_SAFE_INTEGER);
  if (type === 'deny') return { type, id };
  const pod = fields(given['pod'], 'pod');
  return {
    type,
    id,
    pod: { uid: parseUid(pod['uid'], 'pod.uid'), name: name(pod['name'], 'pod.name'), ...parseAddress(pod, 'pod.') },
  };
}
