/**
 * Decides which key signs the tokens of new pods, and what becomes of the list of keys. Pure; the list has the newest key first.
 *
 * | list | every gateway has | signed before | signs                                                                |
 * | ---- | ----------------- | ------------- | -------------------------------------------------------------------- |
 * | b a  | b a               | a             | b                                                                    |
 * | b a  | a                 | a             | a: a gateway would refuse a pod of b                                 |
 * | b a  | none is connected | a             | a: nobody knows                                                      |
 * | b a  | b a, b is fresh   | a             | a: other operators may not know b yet, and the next leader is one    |
 * | b a  | a                 | b             | b: a gateway that has just begun gets both keys before it gets a pod |
 * | b a  | none is connected | none          | a                                                                    |
 * | b    | any               | any           | b                                                                    |
 */
import { MOST_SIGNING_KEYS } from '../../common/wire/tokens.ts';
import type { SigningKeys, StoredKey } from './control-credentials.ts';

export interface SignerView {
  readonly keys: SigningKeys;
  /** Id of the key that signed until now; undefined if none did. */
  readonly signed: string | undefined;
  /** Ids that every connected gateway has; undefined while none is connected. */
  readonly held: ReadonlySet<string> | undefined;
  /** True for a key that is in the Secret for so short that another operator may not have read it. */
  readonly isFresh: (id: string) => boolean;
}

export function decideSigner({ keys, signed, held, isFresh }: SignerView): StoredKey {
  const current = keys.findIndex(({ id }) => id === signed);
  const candidates = current < 0 ? keys : keys.slice(0, current + 1);
  const accepted = candidates.find(({ id }) => held?.has(id) === true && !isFresh(id));
  return accepted ?? candidates.at(-1) ?? keys[0];
}

/** So long a key must have signed before those behind it may go: nobody begins a pod with one of them any more, and every operator knows the new one. */
const RETIRING_MILLISECONDS = 120_000;

export interface RotationView {
  readonly keys: SigningKeys;
  /** The Secret is of the operator's making. Another one is somebody else's to change. */
  readonly isOurs: boolean;
  /** Id of the key that signs, and milliseconds since it began to. */
  readonly signer: string;
  readonly signedFor: number;
  /** Ids of the keys of the pods that exist, terminating ones too. */
  readonly named: ReadonlySet<string>;
  /** Somebody asked for a new key and has not got it. */
  readonly isRequested: boolean;
  /** Milliseconds since the newest key was made. */
  readonly age: number;
  /** Milliseconds after which a key is replaced; 0: never by itself. */
  readonly rotateAfter: number;
}

export type RotationStep =
  | { readonly type: 'Keep' }
  /** A new key goes in front of the list. */
  | { readonly type: 'Add' }
  | { readonly type: 'Remove'; readonly ids: readonly string[] }
  /** A new key is wanted and cannot be added. */
  | { readonly type: 'Blocked'; readonly reason: 'NotOurs' | 'TooManyKeys' };

/**
 * | the Secret | newest key signs | wanted           | old keys               | step                      |
 * | ---------- | ---------------- | ---------------- | ---------------------- | ------------------------- |
 * | not ours   |                  | asked for        |                        | Blocked: edit it yourself |
 * | not ours   |                  | not asked for    |                        | Keep                      |
 * | ours       | no               |                  |                        | Keep: one at a time       |
 * | ours       | yes              | asked for or old | fewer than 16 in all   | Add                       |
 * | ours       | yes, for 120 s   |                  | some that no pod names | Remove those              |
 * | ours       | yes              | asked for or old | 16 that pods name      | Blocked                   |
 */
export function decideRotation(view: RotationView): RotationStep {
  const { keys, isOurs, signer, signedFor, named, isRequested, age, rotateAfter } = view;
  if (!isOurs) return isRequested ? { type: 'Blocked', reason: 'NotOurs' } : { type: 'Keep' };
  const [newest, ...older] = keys;
  if (newest.id !== signer) return { type: 'Keep' };
  const isWanted = isRequested || (rotateAfter > 0 && age >= rotateAfter);
  if (isWanted && keys.length < MOST_SIGNING_KEYS) return { type: 'Add' };
  const ids = signedFor < RETIRING_MILLISECONDS ? [] : older.map(({ id }) => id).filter((id) => !named.has(id));
  if (ids.length > 0) return { type: 'Remove', ids };
  return isWanted ? { type: 'Blocked', reason: 'TooManyKeys' } : { type: 'Keep' };
}
