/** Models in Google Cloud Storage, by its JSON API; `STORAGE_EMULATOR_HOST` for what speaks it too. */
import { DownloadError } from '../download-error.ts';
import type { Authorize, Target } from '../http/http-client.ts';
import { findGoogleToken } from './google-token.ts';
import { kept } from './kept.ts';
import { setting } from './setting.ts';
import {
  encodeSegment,
  folderOf,
  listPages,
  MOST_LIST_BYTES,
  sourceOfPaths,
  type Source,
  type SourceOptions,
} from './source.ts';

const RENEW_MILLISECONDS = 60_000;

export function gsSource(bucket: string, key: string, options: SourceOptions): Source {
  const { client, clock, environment } = options;
  const emulator = setting(environment, 'STORAGE_EMULATOR_HOST');
  const address =
    emulator === undefined
      ? 'https://storage.googleapis.com'
      : emulator.includes('://')
        ? emulator
        : `http://${emulator}`;
  const base = URL.parse(`/storage/v1/b/${encodeSegment(bucket)}/o`, address);
  if (base === null) throw new DownloadError('STORAGE_EMULATOR_HOST must be an address', 'lasting');
  const credentials = kept(() => findGoogleToken(options), clock, RENEW_MILLISECONDS);
  const authorize: Authorize | undefined =
    emulator === undefined || environment['GOOGLE_APPLICATION_CREDENTIALS_JSON'] !== undefined
      ? async () => {
          const own = await credentials();
          return own === undefined ? {} : { authorization: `Bearer ${own.token}` };
        }
      : undefined;
  const target = (path: string): Target => {
    const url = new URL(base);
    url.pathname += `/${encodeSegment(path)}`;
    url.searchParams.set('alt', 'media');
    return { url, authorize };
  };
  const list = (signal: AbortSignal): Promise<readonly string[]> => {
    const folder = folderOf(key);
    return listPages(folder, async (page) => {
      const url = new URL(base);
      url.searchParams.set('prefix', folder);
      url.searchParams.set('fields', 'items(name),nextPageToken');
      if (page !== undefined) url.searchParams.set('pageToken', page);
      const { text } = await client.text({ url, authorize }, {}, MOST_LIST_BYTES, signal);
      return parseList(text);
    });
  };
  return sourceOfPaths(key, target, list);
}

function parseList(text: string): { readonly names: readonly string[]; readonly next: string | undefined } {
  try {
    const { items = [], nextPageToken } = JSON.parse(text) as {
      items?: readonly { name?: unknown }[];
      nextPageToken?: unknown;
    };
    const names = items.flatMap(({ name }) => (typeof name === 'string' ? [name] : []));
    return { names, next: typeof nextPageToken === 'string' && nextPageToken !== '' ? nextPageToken : undefined };
  } catch {
    throw new DownloadError('the server’s list of files is no JSON', 'lasting');
  }
}
