/** A model in an archive on the machine's own disk: unpacked into the cache, once for each digest. */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { StartError } from '../inference.ts';
import { ArchiveError } from './archive/archive-error.ts';
import { archiveKind, unpack } from './archive/unpack.ts';
import { ModelCache } from './cache/model-cache.ts';
import { modelCacheBytes } from './cache-limit.ts';
import { checkPin } from './check-pin.ts';
import { chooseModel } from './choose-model.ts';
import { factsOf, isUnchanged } from './file-facts.ts';
import { hashFile } from './hash-file.ts';
import { errorText } from '../node-error.ts';
import type { ModelFile, OpenOptions } from './open-model.ts';

/** Rejects with StartError, or with the signal's reason. */
export async function openArchive(
  path: string,
  name: string,
  pin: string | undefined,
  options: OpenOptions,
): Promise<ModelFile> {
  const { directory, clock, signal, environment = process.env } = options;
  const cacheBytes = modelCacheBytes(environment);
  const cache = new ModelCache(directory, cacheBytes, clock);
  let workplace: string | undefined;
  try {
    const facts = factsOf(path);
    const digest = await hashFile(path, signal);
    checkPin(digest, pin, name);
    const found = await cache.find(digest.sha256, signal);
    if (found !== undefined) return { path: found.path, digest: Promise.resolve(found.digest) };
    const kind = await archiveKind(path);
    if (kind === undefined) throw new ArchiveError('is none: it is neither tar, nor gzip, nor zip');
    workplace = await cache.makeWorkplace();
    const folder = join(workplace, 'folder');
    await mkdir(folder);
    const makeRoom = (bytes: number): Promise<void> => cache.makeRoom(bytes, bytes);
    const files = await unpack(path, kind, folder, cacheBytes, makeRoom, signal);
    if (!isUnchanged(path, facts)) {
      throw new StartError('ModelDigestMismatch', `The archive at ${name} changed while it was unpacked.`);
    }
    const choice = chooseModel(files.map((file) => file.path));
    if ('problem' in choice) throw new ArchiveError(`holds no model that can be told: ${choice.problem}`);
    const stored = await cache.store(folder, { digest, model: choice.path, files }, signal);
    return { path: stored.path, digest: Promise.resolve(digest) };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof StartError) throw error;
    if (error instanceof ArchiveError) throw new StartError('ModelInvalid', `The archive at ${name} ${error.message}.`);
    throw new StartError('ModelFetchFailed', `The archive at ${name} cannot be unpacked: ${errorText(error)}`);
  } finally {
    if (workplace !== undefined) await rm(workplace, { recursive: true, force: true });
  }
}
