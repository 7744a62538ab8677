/**
 * One fetch of a model into an empty folder: the ONNX file, found in a folder if the URI names one, with the files that it keeps weights in, or an archive. What
 * is whole and what its pin says goes into the cache.
 */
import { randomInt } from 'node:crypto';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ArchiveError } from './archive/archive-error.ts';
import { archiveKind, unpack, type ArchiveKind } from './archive/unpack.ts';
import type { CachedModel, ModelCache, Remembered } from './cache/model-cache.ts';
import { checkPin } from './check-pin.ts';
import { chooseModel } from './choose-model.ts';
import { requireDataPath, requireDistinct } from './data-path.ts';
import { DownloadError } from './download-error.ts';
import { findExternalData } from './external-data.ts';
import { FETCH_LIMITS } from './fetch-limits.ts';
import type { HttpClient } from './http/http-client.ts';
import { modelDigest, type NamedDigest } from './model-digest.ts';
import type { RemoteLocation } from './model-uri.ts';
import type { OpenOptions } from './open-model.ts';
import { safePath } from './safe-path.ts';
import type { RemoteObject, Source } from './sources/source.ts';
import { downloadObject, type Downloaded, type DownloadOptions } from './transfer/download-object.ts';
import { patiently } from './transfer/patiently.ts';
import { isSettled } from './transfer/version-tag.ts';

export interface FetchRequest {
  readonly location: RemoteLocation;
  /** As it was given; it may hold secrets. */
  readonly uri: string;
  /** For messages. */
  readonly name: string;
  readonly pin: string | undefined;
}

export interface FetchOptions extends OpenOptions {
  readonly cacheBytes: number;
}

/** Replicas that start in the same instant must not have the same. */
const spread = (): number => randomInt(1 << 24) / (1 << 24);

export class Fetch {
  readonly #request: FetchRequest;
  readonly #options: FetchOptions;
  readonly #cache: ModelCache;
  readonly #workplace: string;
  readonly #download: Omit<DownloadOptions, 'maximumBytes' | 'makeRoom'>;
  /** Of what this fetch has already written. */
  #bytes = 0;

  constructor(request: FetchRequest, options: FetchOptions, cache: ModelCache, client: HttpClient, workplace: string) {
    const { clock, random = spread, signal, limits = FETCH_LIMITS } = options;
    this.#request = request;
    this.#options = options;
    this.#cache = cache;
    this.#workplace = workplace;
    this.#download = { client, clock, random, signal, limits };
  }

  async run(source: Source): Promise<CachedModel> {
    const { uri, pin } = this.#request;
    const known = pin === undefined ? await this.#cache.recall(uri) : undefined;
    const { object, file } = await this.#fetchFirst(source, known?.objects[0]?.tag);
    if (file === undefined) {
      const cached = known === undefined ? undefined : await this.#findUnchanged(object, known);
      if (cached !== undefined) return cached;
    }
    const path = join(this.#workplace, 'model');
    const model = file ?? (await this.#get(object, path));
    if (model === undefined)
      throw new DownloadError('the server says that it is unchanged although that was not asked', 'lasting');
    const kind = await archiveKind(path);
    return kind === undefined ? this.#storeModel(object, path, model) : this.#storeArchive(object, path, model, kind);
  }

  /** The URI as an object, then as a folder, or the other way round. */
  async #fetchFirst(
    source: Source,
    knownTag: string | undefined,
  ): Promise<{ object: RemoteObject; file: Downloaded | undefined }> {
    const path = join(this.#workplace, 'model');
    const asObject = async (): Promise<{ object: RemoteObject; file: Downloaded | undefined } | undefined> => {
      const { object } = source;
      if (object === undefined) return undefined;
      try {
        return { object, file: await this.#get(object, path, knownTag) };
      } catch (error) {
        if (error instanceof DownloadError && error.kind === 'notFound' && source.list !== undefined) return undefined;
        throw error;
      }
    };
    const asFolder = async (): Promise<{ object: RemoteObject; file: Downloaded | undefined } | undefined> => {
      const list = (): Promise<readonly string[]> => source.list?.(this.#options.signal) ?? Promise.resolve([]);
      const names = await patiently(list, this.#download);
      if (names.length === 0) return undefined;
      // What is asked for is a name as the server has it, whatever form its accents are in.
      const byPath = new Map(names.map((name) => [safePath(name), name]));
      const choice = chooseModel([...byPath.keys()].filter((path) => path !== undefined));
      if ('problem' in choice) throw new DownloadError(choice.problem, 'notFound');
      const object = source.below(byPath.get(choice.path) ?? choice.path);
      return { object, file: await this.#get(object, path, knownTag) };
    };
    const [first, second] = source.looksLikeFolder ? [asFolder, asObject] : [asObject, asFolder];
    const found = (await first()) ?? (await second());
    if (found === undefined) throw new DownloadError('neither a file nor a folder is there', 'notFound');
    return found;
  }

  /** The model is as it was when it was last fetched: is its data too, and is all of it still in the cache? */
  async #findUnchanged(model: RemoteObject, known: Remembered): Promise<CachedModel | undefined> {
    for (const { name, tag } of known.objects.slice(1)) {
      const path = join(this.#workplace, 'probe');
      const before = this.#bytes;
      const changed = await this.#get(model.beside(name), path, tag);
      await rm(path, { force: true });
      this.#bytes = before;
      if (changed !== undefined) return undefined;
    }
    return this.#cache.find(known.sha256, this.#options.signal);
  }

  async #storeModel(object: RemoteObject, path: string, model: Downloaded): Promise<CachedModel> {
    const { name, pin } = this.#request;
    const data = findExternalData(path);
    const own = safePath(object.name) ?? 'model.onnx';
    const files: (NamedDigest & Downloaded)[] = [{ name: data.length === 0 ? '' : own, ...model }];
    if (data.length === 0) {
      checkPin(modelDigest(files), pin, name);
      return this.#store(path, '', files, modelDigest(files));
    }
    const folder = join(this.#workplace, 'folder');
    await mkdir(folder);
    await rename(path, join(folder, own));
    const locations = data.map(requireDataPath);
    requireDistinct([own, ...locations]);
    for (const relative of locations) {
      const place = join(folder, relative);
      await mkdir(dirname(place), { recursive: true });
      const fetched = await this.#get(object.beside(relative), place).catch((error: unknown) => {
        if (!(error instanceof DownloadError)) throw error;
        throw new DownloadError(`${error.message}, for ${relative}, in which it keeps weights`, error.kind);
      });
      if (fetched !== undefined) files.push({ name: relative, ...fetched });
    }
    const digest = modelDigest(files);
    checkPin(digest, pin, name, files.length);
    return this.#store(folder, own, files, digest);
  }

  /** The pin is the archive's, and is checked before a byte of it is looked at. */
  async #storeArchive(
    object: RemoteObject,
    path: string,
    archive: Downloaded,
    kind: ArchiveKind,
  ): Promise<CachedModel> {
    const { name, pin } = this.#request;
    checkPin(archive, pin, name);
    const folder = join(this.#workplace, 'folder');
    await mkdir(folder);
    const written = await unpack(
      path,
      kind,
      folder,
      this.#options.cacheBytes - archive.sizeBytes,
      (bytes) => this.#cache.makeRoom(archive.sizeBytes + bytes, archive.sizeBytes + bytes),
      this.#options.signal,
    );
    const choice = chooseModel(written.map((file) => file.path));
    if ('problem' in choice) throw new ArchiveError(`holds no model that can be told: ${choice.problem}`);
    await rm(path);
    const digest = { sha256: archive.sha256, sizeBytes: archive.sizeBytes };
    const entry = { digest, model: choice.path, files: written };
    const cached = await this.#cache.store(folder, entry, this.#options.signal);
    await this.#remember(digest.sha256, [{ name: object.name, tag: archive.tag }]);
    return cached;
  }

  async #store(
    path: string,
    model: string,
    files: readonly (NamedDigest & Downloaded)[],
    digest: { sha256: string; sizeBytes: number },
  ): Promise<CachedModel> {
    const entry = {
      digest,
      model,
      files: files.map(({ name, sha256, sizeBytes }) => ({ path: name, sha256, sizeBytes })),
    };
    const cached = await this.#cache.store(path, entry, this.#options.signal);
    await this.#remember(digest.sha256, files);
    return cached;
  }

  async #remember(
    sha256: string,
    files: readonly { readonly name: string; readonly tag: string | undefined }[],
  ): Promise<void> {
    const now = this.#options.clock.now();
    const objects = files.flatMap(({ name, tag }) =>
      tag === undefined || !isSettled(tag, now) ? [] : [{ name, tag }],
    );
    if (objects.length === files.length) await this.#cache.remember(this.#request.uri, { sha256, objects });
  }

  async #get(object: RemoteObject, path: string, knownTag?: string): Promise<Downloaded | undefined> {
    const fetched = await downloadObject(object.target, path, {
      ...this.#download,
      maximumBytes: this.#options.cacheBytes - this.#bytes,
      makeRoom: (bytes, written) => this.#cache.makeRoom(this.#bytes + bytes, this.#bytes + written),
      knownTag,
    });
    this.#bytes += fetched?.sizeBytes ?? 0;
    return fetched;
  }
}
