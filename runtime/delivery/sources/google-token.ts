/**
 * Access tokens of Google Cloud: of a service account's key, of a person's login (gcloud), or of the machine's metadata server, which is what Workload
 * Identity is to a pod. Nothing found means that requests go without.
 */
import { createSign } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { DownloadError, toDownloadError } from '../download-error.ts';
import { errorText } from '../../node-error.ts';
import { setting } from './setting.ts';
import type { SourceOptions } from './source.ts';

export interface GoogleToken {
  readonly token: string;
  /** Milliseconds since the Unix epoch. */
  readonly expiresAt: number;
}

const SCOPE = 'https://www.googleapis.com/auth/devstorage.read_only';
const TOKEN_ADDRESS = 'https://oauth2.googleapis.com/token';
const MOST_BYTES = 64 * 1024;
const METADATA_MILLISECONDS = 1_000;

/** Rejects with DownloadError. */
export async function findGoogleToken(options: SourceOptions): Promise<GoogleToken | undefined> {
  const text = await readKey(options.environment);
  return text === undefined ? fromMetadata(options) : fromKey(text, options);
}

async function readKey(environment: SourceOptions['environment']): Promise<string | undefined> {
  const json = setting(environment, 'GOOGLE_APPLICATION_CREDENTIALS_JSON');
  if (json !== undefined) return json;
  const path = setting(environment, 'GOOGLE_APPLICATION_CREDENTIALS');
  if (path === undefined) return undefined;
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new DownloadError(`GOOGLE_APPLICATION_CREDENTIALS cannot be read: ${errorText(error)}`, 'lasting');
  }
}

async function fromKey(text: string, options: SourceOptions): Promise<GoogleToken> {
  const fields = parseKey(text);
  const field = (name: string): string => {
    const value = fields[name];
    if (typeof value === 'string' && value !== '') return value;
    throw new DownloadError(`the Google credentials have no ${name}`, 'lasting');
  };
  const address = typeof fields['token_uri'] === 'string' ? fields['token_uri'] : TOKEN_ADDRESS;
  switch (fields['type']) {
    case 'service_account': {
      const assertion = signAssertion(field('client_email'), field('private_key'), address, options.clock.now());
      return exchange(address, { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion }, options);
    }
    case 'authorized_user':
      return exchange(
        address,
        {
          grant_type: 'refresh_token',
          client_id: field('client_id'),
          client_secret: field('client_secret'),
          refresh_token: field('refresh_token'),
        },
        options,
      );
    default:
      throw new DownloadError('the Google credentials must be of type service_account or authorized_user', 'lasting');
  }
}

function parseKey(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    // What the parser says quotes the text.
    throw new DownloadError('the Google credentials are no JSON', 'lasting');
  }
}

/** RFC 7523, as Google's service accounts do it. */
function signAssertion(email: string, key: string, audience: string, now: number): string {
  const seconds = Math.floor(now / 1000);
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { iss: email, scope: SCOPE, aud: audience, iat: seconds, exp: seconds + 3600 };
  const text = `${encode({ alg: 'RS256', typ: 'JWT' })}.${encode(claims)}`;
  try {
    return `${text}.${createSign('RSA-SHA256').update(text).sign(key, 'base64url')}`;
  } catch {
    throw new DownloadError('the private_key of the Google credentials is no RSA key in PEM', 'lasting');
  }
}

async function exchange(
  address: string,
  body: Record<string, string>,
  { client, clock, signal }: SourceOptions,
): Promise<GoogleToken> {
  const url = URL.parse(address);
  if (url === null) throw new DownloadError('the token_uri of the Google credentials is no address', 'lasting');
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  let answer: string;
  try {
    const request = { method: 'POST', url, headers, body: new URLSearchParams(body).toString() } as const;
    answer = await client.send(request, MOST_BYTES, signal);
  } catch (error) {
    const { message, kind } = toDownloadError(error);
    throw new DownloadError(`Google gave no access token: ${message}`, kind === 'temporary' ? kind : 'lasting');
  }
  const token = parseToken(answer, clock.now());
  if (token === undefined) throw new DownloadError('Google gave no access token', 'lasting');
  return token;
}

async function fromMetadata({ client, clock, environment, signal }: SourceOptions): Promise<GoogleToken | undefined> {
  const host = setting(environment, 'GCE_METADATA_HOST') ?? 'metadata.google.internal';
  const url = URL.parse(`http://${host}/computeMetadata/v1/instance/service-accounts/default/token`);
  if (url === null || environment['NO_GCE_CHECK']?.toLowerCase() === 'true') return undefined;
  try {
    const bounded = AbortSignal.any([signal, AbortSignal.timeout(METADATA_MILLISECONDS)]);
    const answer = await client.send(
      { method: 'GET', url, headers: { 'metadata-flavor': 'Google' } },
      MOST_BYTES,
      bounded,
    );
    return parseToken(answer, clock.now());
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

function parseToken(answer: string, now: number): GoogleToken | undefined {
  try {
    const { access_token: token, expires_in: seconds } = JSON.parse(answer) as Record<string, unknown>;
    if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token)) return undefined;
    return { token, expiresAt: now + (typeof seconds === 'number' ? seconds : 300) * 1000 };
  } catch {
    return undefined;
  }
}
