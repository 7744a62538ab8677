/** The digest that pins a model of one or of several files. */
import { createHash } from 'node:crypto';
import type { FileDigest } from './hash-file.ts';

export interface NamedDigest extends FileDigest {
  /** Relative to the folder of the ONNX file. */
  readonly name: string;
}

/**
 * Of one file it is the file's own. Of an ONNX file with external data it is that of the listing which `sha256sum model.onnx weights.bin … | LC_ALL=C sort -k 2`
 * prints in their folder, so that `| sha256sum` at its end gives the same.
 */
export function modelDigest(files: readonly NamedDigest[]): FileDigest {
  const [only] = files;
  if (files.length === 1 && only !== undefined) return { sha256: only.sha256, sizeBytes: only.sizeBytes };
  const lines = files
    .map(({ name, sha256 }) => ({ key: Buffer.from(name), line: `${sha256}  ${name}\n` }))
    .sort((a, b) => Buffer.compare(a.key, b.key))
    .map(({ line }) => line);
  return {
    sha256: createHash('sha256').update(lines.join('')).digest('hex'),
    sizeBytes: files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
  };
}
