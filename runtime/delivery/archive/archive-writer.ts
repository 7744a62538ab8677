/**
 * Writes the files of an archive below a fresh folder, within bounds. It makes regular files and folders and nothing else: with no link there, and every
 * name checked, nothing can be written outside.
 */
import { createHash, type Hash } from 'node:crypto';
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { collisionKey, safePath } from '../safe-path.ts';
import { ArchiveError } from './archive-error.ts';

export interface ArchiveLimits {
  readonly entries: number;
  /** Of all files together. */
  readonly bytes: number;
  /** Expanded bytes for each of the archive's, beyond a first 64 MiB: deflate reaches 1032, weights 3. */
  readonly ratio: number;
}

export const ARCHIVE_LIMITS = { entries: 10_000, ratio: 100 } as const;
const FREE_BYTES = 64 * 2 ** 20;
/** Headers, padding and long names of 10 000 entries take less. */
const OVERHEAD_BYTES = 64 * 2 ** 20;

export interface WrittenFile {
  readonly path: string;
  readonly sha256: string;
  readonly sizeBytes: number;
}

interface OpenFile {
  readonly path: string;
  readonly fd: number;
  readonly hash: Hash;
  sizeBytes: number;
}

export class ArchiveWriter {
  readonly files: WrittenFile[] = [];
  readonly #directory: string;
  readonly #limits: ArchiveLimits;
  readonly #mostBytes: number;
  readonly #taken = new Map<string, 'file' | 'folder'>();
  #entries = 0;
  #bytes = 0;
  #expanded = 0;
  #open: OpenFile | undefined;

  /** `archiveBytes` is the archive's own size. */
  constructor(directory: string, archiveBytes: number, limits: ArchiveLimits) {
    this.#directory = directory;
    this.#limits = limits;
    this.#mostBytes = Math.min(limits.bytes, FREE_BYTES + archiveBytes * limits.ratio);
  }

  /** What is on the disk. */
  get bytes(): number {
    return this.#bytes;
  }

  /** So much more came out of the archive, whether it is written or not: what is between files and behind the last takes its time, too. */
  expanded(bytes: number): void {
    this.#expanded += bytes;
    if (this.#expanded > this.#mostBytes + OVERHEAD_BYTES) throw this.#tooLarge();
  }

  folder(name: string): void {
    this.#count();
    if (/^(?:\.\/?)+$/.test(name)) return;
    this.#makeFolder(this.#safe(name));
  }

  /** Begins a file; what follows by `write` is its content, until `end`. `sizeBytes` is what the archive announces. */
  begin(name: string, sizeBytes: number): void {
    this.#count();
    if (this.#bytes + sizeBytes > this.#mostBytes) throw this.#tooLarge();
    const path = this.#safe(name);
    const slash = path.lastIndexOf('/');
    if (slash !== -1) this.#makeFolder(path.slice(0, slash));
    const key = collisionKey(path);
    if (this.#taken.has(key))
      throw new ArchiveError(
        `has ${JSON.stringify(path)} twice, or another name that some file systems hold for the same`,
      );
    this.#taken.set(key, 'file');
    mkdirSync(dirname(join(this.#directory, path)), { recursive: true });
    const fd = openSync(join(this.#directory, path), 'wx', 0o644);
    this.#open = { path, fd, hash: createHash('sha256'), sizeBytes: 0 };
  }

  write(bytes: Uint8Array): void {
    const file = this.#open;
    if (file === undefined) return;
    this.#bytes += bytes.byteLength;
    if (this.#bytes > this.#mostBytes) throw this.#tooLarge();
    file.hash.update(bytes);
    for (let written = 0; written < bytes.byteLength;) written += writeSync(file.fd, bytes, written);
    file.sizeBytes += bytes.byteLength;
  }

  end(): void {
    const file = this.#open;
    if (file === undefined) return;
    this.close();
    this.files.push({ path: file.path, sha256: file.hash.digest('hex'), sizeBytes: file.sizeBytes });
  }

  close(): void {
    if (this.#open !== undefined) closeSync(this.#open.fd);
    this.#open = undefined;
  }

  #count(): void {
    this.#entries += 1;
    if (this.#entries > this.#limits.entries) throw new ArchiveError(`has more than ${this.#limits.entries} entries`);
  }

  #safe(name: string): string {
    const path = safePath(name);
    if (path === undefined)
      throw new ArchiveError(
        `has an entry whose name could lead out of its folder: ${JSON.stringify(name.slice(0, 200))}`,
      );
    return path;
  }

  #makeFolder(path: string): void {
    const segments = path.split('/');
    for (let depth = 1; depth <= segments.length; depth += 1) {
      const key = collisionKey(segments.slice(0, depth).join('/'));
      if (this.#taken.get(key) === 'file')
        throw new ArchiveError(`has ${JSON.stringify(path)} as a file and as a folder`);
      this.#taken.set(key, 'folder');
    }
  }

  #tooLarge(): ArchiveError {
    return new ArchiveError(`would take more than ${this.#mostBytes} bytes when unpacked`);
  }
}
