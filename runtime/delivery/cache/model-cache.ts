/**
 * Fetched models on disk, by digest, for as long as there is room: `sha256/` and `entries/` (see entry.ts), `sources/` (which version of a URI is where),
 * `in-use/` (who uses what), `fetch@…` (what a process is fetching) and, of the sessions, `optimised/`. Several processes may use one directory: what is
 * fetched gets its name in one step, when it is whole.
 */
import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Clock } from '../../../common/platform/clock.ts';
import { DownloadError } from '../download-error.ts';
import { hashFile, type FileDigest } from '../hash-file.ts';
import { errorCode } from '../../node-error.ts';
import { evictEntry, readEntry, recordPath, writeEntry, type Entry } from './entry.ts';
import { mayLive, OWNER } from './owner.ts';
import { planEvictions, type CacheItem } from './plan-evictions.ts';
import { replaceFile } from './replace-file.ts';

export interface CachedModel {
  readonly path: string;
  readonly digest: FileDigest;
}

const FORSAKEN_MILLISECONDS = 24 * 3_600_000;

/** What a URI without a pin led to when it was last fetched. */
export interface Remembered {
  readonly sha256: string;
  /** What was fetched for it, with the server's names for the versions: the model, then its data. */
  readonly objects: readonly { readonly name: string; readonly tag: string }[];
}

/** Kept free on the disk, for logs and the like. */
const SPARE_BYTES = 64 * 2 ** 20;

export class ModelCache {
  readonly #directory: string;
  readonly #limitBytes: number;
  readonly #clock: Clock;

  constructor(directory: string, limitBytes: number, clock: Clock) {
    this.#directory = directory;
    this.#limitBytes = limitBytes;
    this.#clock = clock;
  }

  /** The model, if it is there as it was stored, which is then in use by this process; a damaged one is removed. */
  async find(sha256: string, signal: AbortSignal): Promise<CachedModel | undefined> {
    if (!existsSync(recordPath(this.#directory, sha256))) return undefined;
    await this.#hold(sha256);
    const entry = await readEntry(this.#directory, sha256, this.#clock.now(), signal);
    return entry === undefined ? undefined : this.#cached(entry);
  }

  async recall(uri: string): Promise<Remembered | undefined> {
    try {
      const { sha256, objects } = JSON.parse(await readFile(this.#sourcePath(uri), 'utf8')) as Remembered;
      // Another version of this program may have written it.
      return typeof sha256 === 'string' && Array.isArray(objects) ? { sha256, objects } : undefined;
    } catch {
      return undefined;
    }
  }

  async remember(uri: string, remembered: Remembered): Promise<void> {
    await replaceFile(this.#sourcePath(uri), JSON.stringify(remembered));
  }

  /** An empty folder to fetch into, of this process alone. What processes left that are gone, or wrote nothing for a day, is removed. Rejects with the file system's error. */
  async makeWorkplace(): Promise<string> {
    for (const folder of ['sha256', 'entries', 'sources', 'in-use']) {
      await mkdir(join(this.#directory, folder), { recursive: true });
    }
    for (const name of await readdir(this.#directory)) {
      const path = join(this.#directory, name);
      if (!name.startsWith('fetch@') || (mayLive(name) && !(await this.#isForsaken(path)))) continue;
      await rm(path, { recursive: true, force: true });
    }
    return mkdtemp(join(this.#directory, `fetch@${OWNER}-`));
  }

  /** Whether nothing has been written there for so long that its process, of which nobody here can ask, is gone: no fetch pauses for more than minutes. */
  async #isForsaken(folder: string): Promise<boolean> {
    try {
      const names = await readdir(folder, { recursive: true });
      const stats = await Promise.all([folder, ...names.map((name) => join(folder, name))].map((path) => stat(path)));
      return stats.every(({ mtimeMs }) => this.#clock.now() - mtimeMs > FORSAKEN_MILLISECONDS);
    } catch {
      // Somebody writes or removes it now.
      return false;
    }
  }

  /**
   * Removes least recently used models until a model of so many bytes fits, of which `written` are on the disk. Rejects with DownloadError if that cannot
   * be; where all of it is written, what is kept free of the disk is no reason.
   */
  async makeRoom(bytes: number, written = 0): Promise<void> {
    if (bytes > this.#limitBytes) {
      throw new DownloadError(
        `it needs ${bytes} bytes, and PILOTLIGHT_MODEL_CACHE_BYTES allows ${this.#limitBytes}`,
        'lasting',
      );
    }
    for (;;) {
      const items = await this.#items();
      const used = items.reduce((sum, item) => sum + item.bytes, 0);
      const disk = await statfs(this.#directory);
      const free = disk.bavail * disk.bsize;
      const excess = Math.max(used + bytes - this.#limitBytes, bytes - written + SPARE_BYTES - free);
      if (excess <= 0) return;
      const evictions = planEvictions(items, excess);
      if (evictions === undefined) {
        if (bytes === written && used + bytes <= this.#limitBytes) return;
        throw new DownloadError(
          `there is no room: it needs ${bytes} bytes, ${free} are free on the disk, and the models in use take ${used} of the ${this.#limitBytes} that PILOTLIGHT_MODEL_CACHE_BYTES allows`,
          'lasting',
        );
      }
      for (const { path } of evictions) {
        const name = basename(path);
        if (path === join(this.#directory, 'sha256', name)) {
          await evictEntry(this.#directory, name, async () => (await this.#held()).has(name));
        } else await rm(path, { recursive: true, force: true });
      }
    }
  }

  /** Moves what is at `path`, which is what `entry` says, into the cache. Another process may have been faster. */
  async store(path: string, entry: Entry, signal: AbortSignal): Promise<CachedModel> {
    const { sha256 } = entry.digest;
    const there = await this.find(sha256, signal);
    if (there !== undefined) return there;
    await this.#hold(sha256);
    const place = join(this.#directory, 'sha256', sha256);
    for (let isThere = false; !isThere;) {
      try {
        await rename(path, place);
        isThere = true;
      } catch (error) {
        // A folder takes no other's place: it is there from a process that was faster, or was killed before it could record it.
        if (!existsSync(place)) throw error;
        isThere = await holds(place, entry, signal);
        if (isThere) break;
        await rename(place, `${path}.${randomUUID()}`).catch((reason: unknown) => {
          if (errorCode(reason) !== 'ENOENT') throw reason;
        });
      }
    }
    await writeEntry(this.#directory, entry);
    return this.#cached(entry);
  }

  #cached({ digest, model }: Entry): CachedModel {
    return { path: join(this.#directory, 'sha256', digest.sha256, model), digest };
  }

  #sourcePath(uri: string): string {
    return join(this.#directory, 'sources', `${createHash('sha256').update(uri).digest('hex')}.json`);
  }

  /** Until this process ends. */
  async #hold(sha256: string): Promise<void> {
    await writeFile(join(this.#directory, 'in-use', `${sha256}@${OWNER}`), '');
  }

  /** Digests that a living process uses. */
  async #held(): Promise<Set<string>> {
    const held = new Set<string>();
    for (const name of await list(join(this.#directory, 'in-use'))) {
      if (mayLive(name)) held.add(name.slice(0, 64));
      else await rm(join(this.#directory, 'in-use', name), { force: true });
    }
    return held;
  }

  async #items(): Promise<CacheItem[]> {
    const held = await this.#held();
    const items: CacheItem[] = [];
    const add = async (
      folder: string,
      isHeld: (name: string) => boolean,
      record?: (name: string) => string,
    ): Promise<void> => {
      for (const name of await list(join(this.#directory, folder))) {
        const path = join(this.#directory, folder, name);
        try {
          const usedAt = (await stat(record?.(name) ?? path).catch(() => undefined))?.mtimeMs ?? 0;
          items.push({ path, bytes: await sizeOf(path), usedAt, isHeld: isHeld(name) });
        } catch {
          // Gone meanwhile.
        }
      }
    };
    await add(
      'sha256',
      (name) => held.has(name),
      (name) => recordPath(this.#directory, name),
    );
    await add('optimised', (name) => [...held].some((digest) => name.startsWith(digest)));
    return items;
  }
}

async function holds(place: string, { files }: Entry, signal: AbortSignal): Promise<boolean> {
  try {
    for (const { path, sha256 } of files) {
      if ((await hashFile(join(place, path), signal)).sha256 !== sha256) return false;
    }
    return true;
  } catch {
    signal.throwIfAborted();
    return false;
  }
}

async function list(directory: string): Promise<string[]> {
  return readdir(directory).catch(() => []);
}

async function sizeOf(path: string): Promise<number> {
  const facts = await stat(path);
  if (!facts.isDirectory()) return facts.size;
  const sizes = await Promise.all((await readdir(path)).map((name) => sizeOf(join(path, name))));
  return sizes.reduce((sum, size) => sum + size, 0);
}
