/**
 * Models on the Hugging Face Hub, or a mirror of it (`HF_ENDPOINT`). Where the URI names no file, the repository is listed, and files are then taken from the
 * commit that was listed.
 */
import { DownloadError } from '../download-error.ts';
import type { Authorize, Target } from '../http/http-client.ts';
import type { RemoteLocation } from '../model-uri.ts';
import { setting } from './setting.ts';
import {
  encodePath,
  encodeSegment,
  folderOf,
  MOST_LIST_BYTES,
  sourceOfPaths,
  type Source,
  type SourceOptions,
} from './source.ts';

export function huggingFaceSource(
  { repository, revision, path }: Extract<RemoteLocation, { kind: 'hf' }>,
  { client, environment }: SourceOptions,
): Source {
  const endpoint = (setting(environment, 'HF_ENDPOINT') ?? 'https://huggingface.co').replace(/\/+$/, '');
  if (URL.parse(endpoint) === null) throw new DownloadError('HF_ENDPOINT must be an address', 'lasting');
  const token = setting(environment, 'HF_TOKEN');
  const authorize: Authorize | undefined =
    token === undefined ? undefined : () => Promise.resolve({ authorization: `Bearer ${token}` });
  let commit = encodeSegment(revision);
  const target = (file: string): Target => ({
    get url() {
      return new URL(`${endpoint}/${repository}/resolve/${commit}/${encodePath(file)}`);
    },
    authorize,
  });
  const list = async (signal: AbortSignal): Promise<readonly string[]> => {
    const url = new URL(`${endpoint}/api/models/${repository}/revision/${commit}`);
    const { text } = await client.text({ url, authorize }, {}, MOST_LIST_BYTES, signal);
    const { sha, names } = parseRepository(text);
    if (sha !== undefined) commit = sha;
    const folder = folderOf(path);
    return names.flatMap((name) => (name.startsWith(folder) ? [name.slice(folder.length)] : []));
  };
  return sourceOfPaths(path, target, list);
}

function parseRepository(text: string): { readonly sha: string | undefined; readonly names: readonly string[] } {
  try {
    const { sha, siblings } = JSON.parse(text) as { sha?: unknown; siblings?: readonly { rfilename?: unknown }[] };
    const names = (siblings ?? []).flatMap(({ rfilename }) => (typeof rfilename === 'string' ? [rfilename] : []));
    return { sha: typeof sha === 'string' && /^[0-9a-f]{40}$/.test(sha) ? sha : undefined, names };
  } catch {
    throw new DownloadError('the server’s list of files is no JSON', 'lasting');
  }
}
