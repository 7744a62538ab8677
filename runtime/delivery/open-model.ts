/** Brings the model to a path that ONNX Runtime can load, verified against its pin before anybody may load it. */
import { access, constants, mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { wait, type Clock } from '../../common/platform/clock.ts';
import type { RuntimeSpecification } from '../../common/wire/runtime-environment.ts';
import { StartError } from '../inference.ts';
import { download, DOWNLOAD_LIMITS, DownloadError, type DownloadLimits } from './download.ts';
import { hashFile, type FileDigest } from './hash-file.ts';
import { parseModelUri, printableUri } from './model-uri.ts';
import { errorCode, errorText } from './node-error.ts';

export interface ModelFile {
  readonly path: string;
  /** Of a local file without a pin it is still being computed, so that the session need not wait for it. */
  readonly digest: Promise<FileDigest>;
}

export interface OpenOptions {
  /** Fetched models go to `sha256/<digest>` in it. */
  readonly directory: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly limits?: DownloadLimits;
}

/** Milliseconds before the second and later attempts. */
const BACK_OFF = [250, 1000, 4000];

type ModelReference = RuntimeSpecification['model'];

/** Rejects with StartError, whose message names the URI, or with the signal's reason. */
export async function openModel(model: ModelReference, options: OpenOptions): Promise<ModelFile> {
  const pin = model.sha256?.toLowerCase();
  if (pin !== undefined && !/^[0-9a-f]{64}$/.test(pin)) {
    throw new StartError('ConfigurationInvalid', `model.sha256 is "${pin}"; it must be 64 hexadecimal digits.`);
  }
  const location = parseModelUri(model.uri, process.cwd());
  const name = printableUri(model.uri);
  switch (location.kind) {
    case 'file':
      return openFile(location.path, name, pin, options.signal);
    case 'http':
      return fetchModel(location.url, name, pin, options);
  }
}

async function openFile(path: string, name: string, pin: string | undefined, signal: AbortSignal): Promise<ModelFile> {
  const problem = await findFileProblem(path);
  if (problem !== undefined) throw new StartError(problem.reason, `The model at ${name} ${problem.text}: ${path}`);
  const digest = hashFile(path, signal).catch((error: unknown) => {
    signal.throwIfAborted();
    throw new StartError('ModelFetchFailed', `The model at ${name} cannot be read: ${errorText(error)}`);
  });
  // Whoever awaits it sees the error; if the start fails earlier for another reason, nobody will.
  digest.catch(() => undefined);
  if (pin !== undefined) verify(await digest, pin, name);
  return { path, digest };
}

async function findFileProblem(
  path: string,
): Promise<{ reason: 'ModelNotFound' | 'ModelFetchFailed'; text: string } | undefined> {
  try {
    const facts = await stat(path);
    if (facts.isDirectory()) return { reason: 'ModelNotFound', text: 'is a directory and not a file' };
    if (!facts.isFile()) return { reason: 'ModelFetchFailed', text: 'is not a regular file' };
    await access(path, constants.R_OK);
    return undefined;
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return { reason: 'ModelNotFound', text: 'does not exist' };
    if (code === 'EACCES') return { reason: 'ModelFetchFailed', text: 'may not be read by this user' };
    return {
      reason: 'ModelFetchFailed',
      text: `cannot be read (${errorText(error)})`,
    };
  }
}

async function fetchModel(url: URL, name: string, pin: string | undefined, options: OpenOptions): Promise<ModelFile> {
  const store = join(options.directory, 'sha256');
  if (pin !== undefined) {
    const cached = await findCached(join(store, pin), pin, options.signal);
    if (cached !== undefined) return cached;
  }
  const workplace = await makeWorkplace(options.directory, store);
  try {
    const part = join(workplace, 'part');
    const digest = await downloadPatiently(url, name, part, options);
    if (pin !== undefined) verify(digest, pin, name);
    const path = join(store, digest.sha256);
    await rename(part, path);
    return { path, digest: Promise.resolve(digest) };
  } finally {
    await rm(workplace, { recursive: true, force: true });
  }
}

/** A file that is not what its name says, after a disk ran full for instance, is as good as none. */
async function findCached(path: string, pin: string, signal: AbortSignal): Promise<ModelFile | undefined> {
  try {
    const digest = await hashFile(path, signal);
    return digest.sha256 === pin ? { path, digest: Promise.resolve(digest) } : undefined;
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

async function makeWorkplace(directory: string, store: string): Promise<string> {
  try {
    await mkdir(store, { recursive: true });
    return await mkdtemp(join(directory, 'fetch-'));
  } catch (error) {
    throw new StartError(
      'ModelFetchFailed',
      `The model directory ${directory} cannot be written to: ${errorText(error)}`,
    );
  }
}

async function downloadPatiently(url: URL, name: string, path: string, options: OpenOptions): Promise<FileDigest> {
  const { clock, signal, limits = DOWNLOAD_LIMITS } = options;
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await download(url, path, { clock, signal, limits });
    } catch (error) {
      if (!(error instanceof DownloadError)) throw error;
      if (error.notFound) throw new StartError('ModelNotFound', `There is no model at ${name}: ${error.message}.`);
      const pause = BACK_OFF[attempt];
      if (!error.temporary || pause === undefined) {
        const times = attempt === 0 ? '' : ` (${attempt + 1} attempts)`;
        throw new StartError(
          'ModelFetchFailed',
          `The model at ${name} could not be fetched${times}: ${error.message}.`,
        );
      }
      await rm(path, { force: true });
      await wait(clock, pause, signal);
      signal.throwIfAborted();
    }
  }
}

function verify(digest: FileDigest, pin: string, name: string): void {
  if (digest.sha256 === pin) return;
  throw new StartError(
    'ModelDigestMismatch',
    `The model at ${name} has the SHA-256 ${digest.sha256}, but sha256 pins ${pin}. Correct the pin if the new file is meant.`,
  );
}
