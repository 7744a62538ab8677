/** Finds the manifest files that the paths on a command line mean, and reads them. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

export interface ManifestFile {
  readonly path: string;
  readonly text: string;
}

const EXTENSIONS = ['.yaml', '.yml'];

/** Largest file that is read: etcd takes no object above 1.5 MiB anyway. */
const MAX_BYTES = 4 * 1024 * 1024;

/** A file by its name; of a folder its `.yaml` and `.yml` files, sorted, without folders inside it, as `kubectl apply -f` does. */
export async function readManifestFiles(paths: readonly string[]): Promise<ManifestFile[]> {
  const files = (await Promise.all(paths.map(filesOf))).flat();
  return Promise.all([...new Set(files)].map(async (path) => ({ path, text: await readBounded(path) })));
}

async function filesOf(path: string): Promise<string[]> {
  if (!(await kind(path)).isDirectory()) return [path];
  const names = (await readdir(path)).filter((name) => EXTENSIONS.some((extension) => name.endsWith(extension)));
  if (names.length === 0) throw new Error(`The folder ${path} holds no manifest: no file in it ends in .yaml or .yml.`);
  return names.sort().map((name) => join(path, name));
}

async function kind(path: string): Promise<Awaited<ReturnType<typeof stat>>> {
  try {
    return await stat(path);
  } catch {
    throw new Error(`There is no file or folder ${path}.`);
  }
}

async function readBounded(path: string): Promise<string> {
  const { size } = await kind(path);
  if (size > MAX_BYTES) throw new Error(`${path} has ${size} bytes; a manifest file may have ${MAX_BYTES}.`);
  return readFile(path, 'utf8');
}
