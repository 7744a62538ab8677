import { createHmac, timingSafeEqual } from 'node:crypto';

/**
 * A pod's tokens: `keyId.HMAC(purpose, namespace, revision, pod)`. A pod can prove with one who it is and nothing else, so a token that leaks from
 * one pod cannot announce or drain another.
 */
export type TokenPurpose = 'announce' | 'drain';

export interface SigningKey {
  readonly id: string;
  /** 32 random bytes, base64url. */
  readonly secret: string;
}

/** What a key must look like wherever one is read: 192 random bits or more, and an id that ends at the token's dot. */
export const SIGNING_KEY_ID = /^[\w-]{1,64}$/;
export const SIGNING_KEY_SECRET = /^[\w-]{32,256}$/;

/** Keys that an operator may send; gateways take no more. */
export const MOST_SIGNING_KEYS = 16;

export interface TokenSubject {
  readonly namespace: string;
  readonly revision: string;
  readonly pod: string;
}

export function signToken(key: SigningKey, purpose: TokenPurpose, subject: TokenSubject): string {
  return `${key.id}.${mac(key, purpose, subject).toString('base64url')}`;
}

/** True if one of the keys made this token for this purpose and pod; compared in constant time. */
export function verifyToken(
  keys: readonly SigningKey[],
  token: string,
  purpose: TokenPurpose,
  subject: TokenSubject,
): boolean {
  const dot = token.indexOf('.');
  if (dot < 1) return false;
  const given = Buffer.from(token.slice(dot + 1), 'base64url');
  // Two have the same id while one operator has yet to read that somebody gave the key another secret.
  return keys.some((key) => {
    if (key.id !== token.slice(0, dot)) return false;
    const expected = mac(key, purpose, subject);
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
}

/** True if both secrets are equal; takes the same time wherever they differ. */
export function sameSecret(given: string, expected: string): boolean {
  const key = 'compare';
  const digest = (text: string): Buffer => createHmac('sha256', key).update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}

/** Kubernetes names cannot contain a line feed, so the joined text is unambiguous. */
function mac(key: SigningKey, purpose: TokenPurpose, { namespace, revision, pod }: TokenSubject): Buffer {
  return createHmac('sha256', Buffer.from(key.secret, 'base64url'))
    .update([purpose, namespace, revision, pod].join('\n'))
    .digest();
}
