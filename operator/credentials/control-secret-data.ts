/** Writes the credentials into a Secret and reads them from one, also from one that a person made. No message repeats a secret. */
import { GROUP, LABELS, MANAGER, PRODUCT } from '../../common/api/names.ts';
import { MOST_SIGNING_KEYS, SIGNING_KEY_ID, SIGNING_KEY_SECRET } from '../../common/wire/tokens.ts';
import { SECRETS, type Secret } from '../cluster/resources.ts';
import type { ControlCredentials, SigningKeys, StoredKey } from './control-credentials.ts';

/** Keys of the Secret's data. */
const TOKEN_KEY = 'token';
const SIGNING_KEYS_KEY = 'signing-keys';

/** Asks for a new signing key, by any value that it has not had before. */
export const ROTATE_ANNOTATION = `${GROUP}/rotate-signing-key`;
/** The value that was carried out last. */
const ROTATED_ANNOTATION = `${GROUP}/rotated-signing-key`;

/** Goes into an HTTP header as it is. */
const TOKEN = /^[\x21-\x7e]{32,256}$/;
const TOKEN_EXPECTED = '32 to 256 printable ASCII characters, without a space or a line feed at the end';
const SIGNING_KEYS_EXPECTED = `a JSON list of 1 to ${MOST_SIGNING_KEYS} {"id": "…", "secret": "…"}, the newest first, each id another one of 1 to 64 and each secret 32 to 256 letters, digits, "-" and "_"`;

/** The Secret is there and cannot be used. Only a person can mend it. */
export class ControlSecretError extends Error {
  override readonly name = 'ControlSecretError';
}

/** A Secret to be created. */
export function controlSecret(namespace: string, name: string, credentials: ControlCredentials): Secret {
  return {
    apiVersion: SECRETS.apiVersion,
    kind: SECRETS.kind,
    metadata: {
      namespace,
      name,
      labels: { [LABELS.name]: PRODUCT, [LABELS.partOf]: PRODUCT, [LABELS.managedBy]: MANAGER },
    },
    type: 'Opaque',
    data: {
      [TOKEN_KEY]: encode(credentials.token),
      [SIGNING_KEYS_KEY]: encodeSigningKeys(credentials.signingKeys),
    },
  };
}

/** The same Secret with other keys; `request` is one that is now carried out. */
export function withSigningKeys(secret: Secret, keys: SigningKeys, request: string | undefined): Secret {
  const { annotations } = secret.metadata;
  return {
    ...secret,
    metadata: {
      ...secret.metadata,
      ...(request === undefined ? {} : { annotations: { ...annotations, [ROTATED_ANNOTATION]: request } }),
    },
    data: { ...secret.data, [SIGNING_KEYS_KEY]: encodeSigningKeys(keys) },
  };
}

/** A request for a new key that was not carried out. */
export function rotationRequest({ metadata: { annotations = {} } }: Secret): string | undefined {
  const request = annotations[ROTATE_ANNOTATION];
  return request === annotations[ROTATED_ANNOTATION] ? undefined : request;
}

/** True if an operator made it, as its label says. */
export function isOurs({ metadata }: Secret): boolean {
  return metadata.labels?.[LABELS.managedBy] === MANAGER;
}

/** When the key was made, in milliseconds since the epoch; one that does not say is as old as its Secret. */
export function madeAt({ createdAt }: StoredKey, { metadata }: Secret): number {
  return Date.parse(createdAt ?? metadata.creationTimestamp ?? '') || 0;
}

function encodeSigningKeys(keys: SigningKeys): string {
  return encode(JSON.stringify(keys));
}

/** Throws a ControlSecretError that names the Secret, the key and what was expected. */
export function parseControlSecret(secret: Secret): ControlCredentials {
  const { namespace = '', name } = secret.metadata;
  const read = <T>(key: string, expected: string, parse: (text: string) => T | undefined): T => {
    const given = secret.data?.[key];
    const wayOut = `Mend it, or delete the Secret and restart the operators and gateways for a new one.`;
    if (given === undefined || given === '')
      throw new ControlSecretError(`Secret ${namespace}/${name} has no ${key}: it must hold ${expected}. ${wayOut}`);
    const parsed = parse(Buffer.from(given, 'base64').toString());
    if (parsed === undefined)
      throw new ControlSecretError(`${key} of Secret ${namespace}/${name} must be ${expected}. ${wayOut}`);
    return parsed;
  };
  return {
    token: read(TOKEN_KEY, TOKEN_EXPECTED, (text) => (TOKEN.test(text) ? text : undefined)),
    signingKeys: read(SIGNING_KEYS_KEY, SIGNING_KEYS_EXPECTED, parseSigningKeys),
  };
}

function parseSigningKeys(text: string): SigningKeys | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(parsed) || parsed.length > MOST_SIGNING_KEYS) return undefined;
  const keys = parsed.map(parseSigningKey).filter((key) => key !== undefined);
  const [first, ...rest] = keys;
  if (first === undefined || keys.length !== parsed.length) return undefined;
  return new Set(keys.map(({ id }) => id)).size === keys.length ? [first, ...rest] : undefined;
}

function parseSigningKey(value: unknown): StoredKey | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { id, secret, createdAt } = value as { id?: unknown; secret?: unknown; createdAt?: unknown };
  if (typeof id !== 'string' || !SIGNING_KEY_ID.test(id)) return undefined;
  if (typeof secret !== 'string' || !SIGNING_KEY_SECRET.test(secret)) return undefined;
  if (createdAt === undefined) return { id, secret };
  return typeof createdAt === 'string' && !Number.isNaN(Date.parse(createdAt)) ? { id, secret, createdAt } : undefined;
}

function encode(text: string): string {
  return Buffer.from(text).toString('base64');
}
