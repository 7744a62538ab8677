/** Models on the machine's own disk, a claim or an image: a file, with the weights beside it, a folder or an archive. */
import { access, constants, readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { StartError } from '../inference.ts';
import { checkPin } from './check-pin.ts';
import { findExternalData } from './external-data.ts';
import { factsOf, isUnchanged, type FileFacts } from './file-facts.ts';
import { hashFile, type FileDigest } from './hash-file.ts';
import { errorCode, errorText } from '../node-error.ts';
import type { ModelFile, OpenOptions } from './open-model.ts';

/** Most that is looked at in a folder, and how deep. */
const MOST_FILES = 10_000;
const MOST_DEPTH = 5;

/** Rejects with StartError, or with the signal's reason. */
export async function openLocal(
  path: string,
  name: string,
  pin: string | undefined,
  options: OpenOptions,
): Promise<ModelFile> {
  const problem = await findProblem(path);
  if (problem === 'folder') return openFolder(path, name, pin, options);
  if (problem !== undefined) throw new StartError(problem.reason, `The model at ${name} ${problem.text}: ${path}`);
  if (/\.(?:tar|tar\.gz|tgz|zip)$/i.test(path)) {
    return (await import('./open-archive.ts')).openArchive(path, name, pin, options);
  }
  return openFile(path, name, pin, options);
}

async function openFolder(
  path: string,
  name: string,
  pin: string | undefined,
  options: OpenOptions,
): Promise<ModelFile> {
  const { chooseModel } = await import('./choose-model.ts');
  const choice = chooseModel(await listFiles(path, name));
  if ('problem' in choice)
    throw new StartError('ModelNotFound', `The model at ${name} is a folder, and ${choice.problem}: ${path}`);
  return openLocal(join(path, choice.path), `${name}/${choice.path}`, pin, options);
}

async function openFile(
  path: string,
  name: string,
  pin: string | undefined,
  { signal }: OpenOptions,
): Promise<ModelFile> {
  const seen = new Map<string, FileFacts>();
  const digest = digestOf(path, name, seen, signal).catch((error: unknown) => {
    signal.throwIfAborted();
    if (error instanceof StartError) throw error;
    throw new StartError('ModelFetchFailed', `The model at ${name} cannot be read: ${errorText(error)}`);
  });
  // Whoever awaits it sees the error; if the start fails earlier for another reason, nobody will.
  digest.catch(() => undefined);
  if (pin !== undefined) checkPin(await digest, pin, name, seen.size);
  const confirm = async (): Promise<void> => {
    await digest;
    for (const [file, facts] of seen) {
      if (isUnchanged(file, facts)) continue;
      throw new StartError(
        'ModelDigestMismatch',
        `The model at ${name} changed between its verification and its load: ${file}`,
      );
    }
  };
  return { path, digest, confirm };
}

/** Notes how each file was before it was read. */
async function digestOf(
  path: string,
  name: string,
  seen: Map<string, FileFacts>,
  signal: AbortSignal,
): Promise<FileDigest> {
  seen.set(path, factsOf(path));
  const own = await hashFile(path, signal);
  const data = findExternalData(path);
  if (data.length === 0) return own;
  const [{ modelDigest }, { requireDataPath }] = await Promise.all([
    import('./model-digest.ts'),
    import('./data-path.ts'),
  ]);
  const files = [{ name: path.slice(dirname(path).length).replace(/^\//, ''), ...own }];
  for (const location of data) {
    const relative = requireDataPath(location);
    const file = join(dirname(path), relative);
    const problem = await findProblem(file);
    if (problem !== undefined) {
      const text = problem === 'folder' ? 'is a folder' : problem.text;
      throw new StartError(
        'ModelNotFound',
        `The model at ${name} keeps weights in ${relative}, which ${text}: ${file}`,
      );
    }
    seen.set(file, factsOf(file));
    files.push({ name: relative, ...(await hashFile(file, signal)) });
  }
  return modelDigest(files);
}

async function listFiles(root: string, name: string): Promise<string[]> {
  const files: string[] = [];
  const visit = async (folder: string, depth: number): Promise<void> => {
    for (const entry of await readdir(join(root, folder), { withFileTypes: true })) {
      // Kubernetes keeps what it mounts from a Secret or ConfigMap in such folders, behind links.
      if (entry.name.startsWith('..')) continue;
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      const isFolder = entry.isDirectory();
      if (isFolder && depth < MOST_DEPTH) await visit(path, depth + 1);
      else if (!isFolder) files.push(path);
      if (files.length > MOST_FILES)
        throw new StartError('ModelNotFound', `The model at ${name} is a folder of more than ${MOST_FILES} files.`);
    }
  };
  try {
    await visit('', 0);
  } catch (error) {
    if (error instanceof StartError) throw error;
    throw new StartError('ModelFetchFailed', `The model at ${name} cannot be read: ${errorText(error)}`);
  }
  return files;
}

async function findProblem(
  path: string,
): Promise<'folder' | { reason: 'ModelNotFound' | 'ModelFetchFailed'; text: string } | undefined> {
  try {
    const facts = await stat(path);
    if (facts.isDirectory()) return 'folder';
    if (!facts.isFile()) return { reason: 'ModelFetchFailed', text: 'is not a regular file' };
    await access(path, constants.R_OK);
    return undefined;
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return { reason: 'ModelNotFound', text: 'does not exist' };
    if (code === 'EACCES') return { reason: 'ModelFetchFailed', text: 'may not be read by this user' };
    return { reason: 'ModelFetchFailed', text: `cannot be read (${errorText(error)})` };
  }
}
