/** What operators, gateways and pods know each other by, and how it is made anew. Where it is kept is not decided here. */
import type { SigningKey } from '../../common/wire/tokens.ts';

export interface StoredKey extends SigningKey {
  /** RFC 3339; absent on one that was written by hand. */
  readonly createdAt?: string;
}

/** In the order of the Secret: newest first. */
export type SigningKeys = readonly [StoredKey, ...StoredKey[]];

export interface ControlCredentials {
  /** What operators show to gateways. */
  readonly token: string;
  /** Keys of the pods' tokens. */
  readonly signingKeys: SigningKeys;
}

/** So many random bytes, of a source fit for secrets. */
export type RandomBytes = (count: number) => Buffer;

/** @param now milliseconds since the epoch */
export function newCredentials(randomBytes: RandomBytes, now: number): ControlCredentials {
  return { token: newSecret(randomBytes), signingKeys: [newSigningKey(randomBytes, now)] };
}

/** @param now milliseconds since the epoch */
export function newSigningKey(randomBytes: RandomBytes, now: number): StoredKey {
  return {
    id: randomBytes(8).toString('hex'),
    secret: newSecret(randomBytes),
    createdAt: new Date(now).toISOString(),
  };
}

/** 256 bits, as HMAC-SHA256 can use at most. */
function newSecret(randomBytes: RandomBytes): string {
  return randomBytes(32).toString('base64url');
}
