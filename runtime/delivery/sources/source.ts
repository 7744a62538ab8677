/** The port to where models are kept. */
import type { Clock } from '../../../common/platform/clock.ts';
import { DownloadError } from '../download-error.ts';
import type { HttpClient, Target } from '../http/http-client.ts';

export interface Source {
  /** The URI as the name of one object; undefined if it cannot be one. */
  readonly object: RemoteObject | undefined;
  /** Whether it looks more like a folder than like an object: that is then tried first. */
  readonly looksLikeFolder: boolean;
  /** Everything below the URI taken as a folder, as paths relative to it. Absent where nothing lists that. Rejects as HttpClient.text does. */
  readonly list?: (signal: AbortSignal) => Promise<readonly string[]>;
  /** An object of the list. */
  readonly below: (path: string) => RemoteObject;
}

export interface RemoteObject {
  /** The last segment of its path. */
  readonly name: string;
  readonly target: Target;
  /** What is at a path relative to the folder that the object is in. */
  readonly beside: (path: string) => RemoteObject;
}

export interface SourceOptions {
  readonly client: HttpClient;
  readonly clock: Clock;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/** Most that a list may have; a model has fewer files. */
const MOST_LISTED = 10_000;
/** A page has a thousand names as a rule; it may have none, but not all the time. */
const MOST_PAGES = 200;
export const MOST_LIST_BYTES = 16 * 2 ** 20;

/** A source whose objects are addressed by one path: what is beside an object, or below the URI, is only another path. */
export function sourceOfPaths(path: string, target: (path: string) => Target, list?: Source['list']): Source {
  const object = (at: string): RemoteObject => ({
    name: at.slice(at.lastIndexOf('/') + 1),
    target: target(at),
    beside: (other) => object(at.slice(0, at.lastIndexOf('/') + 1) + other),
  });
  const folder = folderOf(path);
  const isFolder = folder === path;
  return {
    object: isFolder ? undefined : object(path),
    looksLikeFolder: list !== undefined && (isFolder || !/\.[^/]+$/.test(path)),
    ...(list !== undefined && { list }),
    below: (other) => object(folder + other),
  };
}

/** The path taken as that of a folder, as what is below it begins. */
export function folderOf(path: string): string {
  return path === '' || path.endsWith('/') ? path : `${path}/`;
}

/** Of a list that comes in pages, what is below the folder, relative to it. `read` gives the page that the one before named, or the first. */
export async function listPages(
  folder: string,
  read: (page: string | undefined) => Promise<{ readonly names: readonly string[]; readonly next: string | undefined }>,
): Promise<readonly string[]> {
  const all: string[] = [];
  let page: string | undefined;
  let pages = 0;
  do {
    if (++pages > MOST_PAGES) throw new DownloadError('its list of files does not end', 'lasting');
    const { names, next } = await read(page);
    all.push(...names);
    if (all.length > MOST_LISTED) throw new DownloadError(`it has more than ${MOST_LISTED} files`, 'lasting');
    page = next;
  } while (page !== undefined);
  return all.flatMap((name) => (name.startsWith(folder) && !name.endsWith('/') ? [name.slice(folder.length)] : []));
}

/** Segments of a path as a URL has them. */
export function encodePath(path: string): string {
  return path.split('/').map(encodeSegment).join('/');
}

/** As encodeURIComponent, and the five characters that it leaves and AWS and Google do not. */
export function encodeSegment(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
