/**
 * AWS' credential chain, in the order of its SDKs: environment, web identity (IRSA), the shared file, the container's (EKS pod identity, ECS), the instance's
 * metadata. Nothing found means that requests go unsigned. What was named and does not work is an error; only the metadata service, which is asked
 * unasked for, may be missing.
 */
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { DownloadError, toDownloadError } from '../download-error.ts';
import { errorText } from '../../node-error.ts';
import { setting } from './setting.ts';
import type { AwsCredentials } from './s3-signature.ts';
import type { SourceOptions } from './source.ts';

export interface ExpiringCredentials extends AwsCredentials {
  /** Milliseconds since the Unix epoch; absent for those that do not expire. */
  readonly expiresAt?: number | undefined;
}

export interface CredentialOptions extends SourceOptions {
  readonly region: string;
  /** A service that is not AWS' own has no business with what the machine's metadata gives. */
  readonly isAws: boolean;
}

const MOST_BYTES = 64 * 1024;
/** Each request to a metadata service: it is on the same machine, or not there. */
const METADATA_MILLISECONDS = 1_000;

/** Undefined if there are none. Rejects with DownloadError. */
export async function findAwsCredentials(options: CredentialOptions): Promise<ExpiringCredentials | undefined> {
  const { environment, isAws } = options;
  return (
    fromEnvironment(environment) ??
    (await fromWebIdentity(options)) ??
    (await fromSharedFile(environment)) ??
    (await fromContainer(options)) ??
    (isAws ? await fromInstance(options) : undefined)
  );
}

function fromEnvironment(environment: SourceOptions['environment']): AwsCredentials | undefined {
  const accessKeyId = setting(environment, 'AWS_ACCESS_KEY_ID');
  const secretAccessKey = setting(environment, 'AWS_SECRET_ACCESS_KEY');
  if (accessKeyId === undefined || secretAccessKey === undefined) return undefined;
  return { accessKeyId, secretAccessKey, sessionToken: setting(environment, 'AWS_SESSION_TOKEN') };
}

async function fromWebIdentity({
  client,
  environment,
  region,
  signal,
}: CredentialOptions): Promise<ExpiringCredentials | undefined> {
  const file = setting(environment, 'AWS_WEB_IDENTITY_TOKEN_FILE');
  const role = setting(environment, 'AWS_ROLE_ARN');
  if (file === undefined || role === undefined) return undefined;
  const url = new URL(setting(environment, 'AWS_ENDPOINT_URL_STS') ?? `https://sts.${region}.${partition(region)}/`);
  const body = new URLSearchParams({
    Action: 'AssumeRoleWithWebIdentity',
    Version: '2011-06-15',
    RoleArn: role,
    RoleSessionName: setting(environment, 'AWS_ROLE_SESSION_NAME') ?? 'pilotlight',
    WebIdentityToken: await readSecretFile(file, 'AWS_WEB_IDENTITY_TOKEN_FILE'),
  }).toString();
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const answer = await said('STS', client.send({ method: 'POST', url, headers, body }, MOST_BYTES, signal));
  const field = (name: string): string => new RegExp(`<${name}>([^<]*)</${name}>`).exec(answer)?.[1]?.trim() ?? '';
  return credentials(
    {
      AccessKeyId: field('AccessKeyId'),
      SecretAccessKey: field('SecretAccessKey'),
      Token: field('SessionToken'),
      Expiration: field('Expiration'),
    },
    'STS',
  );
}

async function fromSharedFile(environment: SourceOptions['environment']): Promise<AwsCredentials | undefined> {
  const named = setting(environment, 'AWS_SHARED_CREDENTIALS_FILE');
  const profile = setting(environment, 'AWS_PROFILE') ?? 'default';
  let text: string;
  try {
    text = await readFile(named ?? join(homedir(), '.aws', 'credentials'), 'utf8');
  } catch (error) {
    if (named === undefined) return undefined;
    throw new DownloadError(`AWS_SHARED_CREDENTIALS_FILE cannot be read: ${errorText(error)}`, 'lasting');
  }
  const fields: Record<string, string> = {};
  let section = '';
  for (const line of text.split(/\r?\n/)) {
    section = /^\s*\[\s*([^\]]+?)\s*\]/.exec(line)?.[1] ?? section;
    const [, key, value] = /^\s*(\w+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (section === profile && key !== undefined && value !== undefined) fields[key.toUpperCase()] = value;
  }
  return fromEnvironment(fields);
}

async function fromContainer(options: CredentialOptions): Promise<ExpiringCredentials | undefined> {
  const { client, environment, signal } = options;
  const relative = setting(environment, 'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI');
  const full = setting(environment, 'AWS_CONTAINER_CREDENTIALS_FULL_URI');
  const address = relative === undefined ? full : `http://169.254.170.2${relative}`;
  if (address === undefined) return undefined;
  const url = URL.parse(address);
  // Anybody who can set the variable could otherwise have the token sent to them in clear text.
  if (url === null || (url.protocol !== 'https:' && !CONTAINER_HOSTS.has(url.hostname))) {
    throw new DownloadError(
      'AWS_CONTAINER_CREDENTIALS_FULL_URI must be https, or the address of a pod identity agent',
      'lasting',
    );
  }
  const file = setting(environment, 'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE');
  const token =
    file === undefined
      ? setting(environment, 'AWS_CONTAINER_AUTHORIZATION_TOKEN')
      : await readSecretFile(file, 'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE');
  const headers: Record<string, string> = token === undefined ? {} : { authorization: token };
  const answer = await said(
    'the container’s credential service',
    client.send({ method: 'GET', url, headers }, MOST_BYTES, signal),
  );
  return credentials(parseJson(answer), 'the container’s credential service');
}

/** ECS, EKS (by IPv4 and IPv6) and this machine. */
const CONTAINER_HOSTS = new Set([
  '169.254.170.2',
  '169.254.170.23',
  '[fd00:ec2::23]',
  '127.0.0.1',
  'localhost',
  '[::1]',
]);

/** Version 2 alone, whose token keeps others from being tricked into asking for us. */
async function fromInstance({
  client,
  environment,
  signal,
}: CredentialOptions): Promise<ExpiringCredentials | undefined> {
  if (environment['AWS_EC2_METADATA_DISABLED']?.toLowerCase() === 'true') return undefined;
  const base = setting(environment, 'AWS_EC2_METADATA_SERVICE_ENDPOINT') ?? 'http://169.254.169.254';
  const ask = (method: 'GET' | 'PUT', path: string, headers: Record<string, string>): Promise<string> =>
    client.send(
      { method, url: new URL(path, base), headers },
      MOST_BYTES,
      AbortSignal.any([signal, AbortSignal.timeout(METADATA_MILLISECONDS)]),
    );
  try {
    const token = await ask('PUT', '/latest/api/token', { 'x-aws-ec2-metadata-token-ttl-seconds': '21600' });
    const headers = { 'x-aws-ec2-metadata-token': token };
    const roles = '/latest/meta-data/iam/security-credentials/';
    const [role = ''] = (await ask('GET', roles, headers)).split('\n');
    if (!/^[\w+=,.@-]{1,128}$/.test(role)) return undefined;
    return credentials(parseJson(await ask('GET', roles + role, headers)), 'the instance’s metadata');
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

function credentials(value: unknown, from: string): ExpiringCredentials {
  const fields = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  const text = (name: string): string => (typeof fields[name] === 'string' ? fields[name] : '');
  const accessKeyId = text('AccessKeyId');
  const secretAccessKey = text('SecretAccessKey');
  if (accessKeyId === '' || secretAccessKey === '') throw new DownloadError(`${from} gave no credentials`, 'lasting');
  const expiresAt = Date.parse(text('Expiration'));
  return {
    accessKeyId,
    secretAccessKey,
    sessionToken: setting({ Token: text('Token') }, 'Token'),
    expiresAt: Number.isNaN(expiresAt) ? undefined : expiresAt,
  };
}

/** Undefined for what is none: the parser's own error quotes the text. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function readSecretFile(path: string, variable: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    throw new DownloadError(`${variable} cannot be read: ${errorText(error)}`, 'lasting');
  }
}

/** An error of the service that gives credentials must not look like one of the model's. */
async function said<Result>(from: string, answer: Promise<Result>): Promise<Result> {
  try {
    return await answer;
  } catch (error) {
    const { message, kind } = toDownloadError(error);
    throw new DownloadError(`${from} gave no credentials: ${message}`, kind === 'temporary' ? kind : 'lasting');
  }
}

/** Domain of AWS' services in a region. */
export function partition(region: string): string {
  return region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
}
