/**
 * Keeps the graph as ONNX Runtime has rewritten it, so that the next start need not: a graph of 3,900 small nodes that fuse into 400 loads in 30 ms
 * instead of 99. Dense layers gain nothing, as their time goes into weights, nor does a graph in which nothing fuses; so it is tried. It is saved at level "extended" and loaded at "all": what a level above rewrites is for one CPU.
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../common/platform/clock.ts';
import { hashFile, type FileDigest } from '../delivery/hash-file.ts';
import { SessionThread } from './session-thread.ts';
import { startThread } from './start-thread.ts';
import type { SessionOptions } from './session-worker.ts';

const MEBIBYTE = 2 ** 20;
/** Bytes of a file that is worth reading and checking before the model is loaded, and of all of them together. */
const MOST_BYTES = 64 * MEBIBYTE;
const MOST_BYTES_TOGETHER = 256 * MEBIBYTE;
/** Milliseconds a load must take to be worth it, and those of a mebibyte: dense layers take 1.4 for it, a graph of small nodes 20. */
const LEAST_LOAD = 25;
const LEAST_LOAD_OF_A_MEBIBYTE = 5;

/**
 * Memory that trying takes: a thread, and for each byte of the model 3.6 (48 MB, measured), as the graph is written while its session stands. A container
 * that has just what the model needs must not be killed for what only makes the next start faster.
 */
const THREAD_BYTES = 48 * MEBIBYTE;
const BYTES_OF_A_BYTE = 4;

/** Most of the model's own load time that the load of its optimised graph may take. */
const GAIN = 0.7;

/** Whether it was the graph that a load of so many milliseconds took its time for. */
export function isWorthKeeping(milliseconds: number, { sizeBytes }: Pick<FileDigest, 'sizeBytes'>): boolean {
  return (
    sizeBytes <= MOST_BYTES && milliseconds >= Math.max(LEAST_LOAD, (LEAST_LOAD_OF_A_MEBIBYTE * sizeBytes) / MEBIBYTE)
  );
}

/** Whether a session of these options would be the same from a file at level "extended": others assign nodes to a device, or ask for less. */
export function mayBeOptimised({ executionProviders, settings = {} }: SessionOptions): boolean {
  const { graphOptimizationLevel: level = 'All' } = settings;
  return executionProviders.every((provider) => provider === 'CPU') && (level === 'All' || level === 'Layout');
}

/** Where it was put, or why it was not worth it. */
export type Kept = { readonly path: string } | { readonly reason: string };

export class OptimisedGraphs {
  readonly #directory: string;
  readonly #clock: Clock;
  readonly #version: string;
  readonly #availableMemory: () => number;

  /** `directory` is the model directory, `version` ONNX Runtime's, `availableMemory` the bytes that the container still has. */
  constructor(directory: string, version: string, clock: Clock, availableMemory = () => process.availableMemory()) {
    this.#directory = join(directory, 'optimised');
    this.#version = version;
    this.#clock = clock;
    this.#availableMemory = availableMemory;
  }

  /** The file to load instead of the model of this digest, whole as it was written; what is not is removed. */
  async find(digest: Promise<Pick<FileDigest, 'sha256'>>): Promise<string | undefined> {
    const names = await readdir(this.#directory).catch(() => []);
    if (names.length === 0) return undefined;
    const prefix = this.#prefix((await digest).sha256);
    for (const name of names) {
      if (!name.startsWith(prefix)) continue;
      const path = join(this.#directory, name);
      const { sha256 } = await hashFile(path).catch(() => ({ sha256: '' }));
      if (name === fileName(prefix, sha256)) {
        const now = this.#clock.now() / 1000;
        await utimes(path, now, now).catch(() => undefined);
        return path;
      }
      await rm(path, { force: true });
    }
    return undefined;
  }

  /** Loads the model twice more, in a thread of its own, and what it wrote of it. Rejects if it fails. */
  async keep(
    { sha256, sizeBytes: modelBytes }: FileDigest,
    modelPath: string,
    options: SessionOptions,
    gain = GAIN,
  ): Promise<Kept> {
    const needed = THREAD_BYTES + BYTES_OF_A_BYTE * modelBytes;
    const available = this.#availableMemory();
    if (available < needed) {
      return { reason: `trying takes ${mebibytes(needed)} MiB of memory, of which ${mebibytes(available)} are left` };
    }
    await mkdir(this.#directory, { recursive: true });
    const draft = join(this.#directory, `${sha256}-draft-${randomUUID()}`);
    const thread = new SessionThread(startThread('optimiser'));
    try {
      await thread.create(modelPath, { ...options, optimisedPath: draft });
      const load = async (path: string): Promise<number> => {
        const start = this.#clock.monotonic();
        await thread.create(path, options);
        return this.#clock.monotonic() - start;
      };
      const own = await load(modelPath);
      if ((await load(draft)) > gain * own) return { reason: 'it loads no faster' };
      const { sha256: content, sizeBytes } = await hashFile(draft);
      if (sizeBytes > MOST_BYTES) throw new Error(`The optimised graph takes ${sizeBytes} bytes.`);
      await this.#makeRoom(sizeBytes);
      const path = join(this.#directory, fileName(this.#prefix(sha256), content));
      await rename(draft, path);
      return { path };
    } finally {
      await thread.close();
      await rm(draft, { force: true });
    }
  }

  async #makeRoom(bytes: number): Promise<void> {
    const files = [];
    for (const name of await readdir(this.#directory)) {
      if (!name.endsWith('.onnx')) continue;
      const path = join(this.#directory, name);
      const { size, mtimeMs } = await stat(path);
      files.push({ path, size, mtimeMs });
    }
    let excess = files.reduce((sum, { size }) => sum + size, bytes) - MOST_BYTES_TOGETHER;
    for (const { path, size } of files.sort((a, b) => a.mtimeMs - b.mtimeMs)) {
      if (excess <= 0) return;
      await rm(path, { force: true });
      excess -= size;
    }
  }

  /** The model, and all else that decides what its graph becomes. */
  #prefix(sha256: string): string {
    const [cpu] = cpus();
    const rest = JSON.stringify([this.#version, 'CPU', process.arch, cpu?.model]);
    return `${sha256}-${createHash('sha256').update(rest).digest('hex').slice(0, 16)}-`;
  }
}

function mebibytes(bytes: number): number {
  return Math.round(bytes / MEBIBYTE);
}

function fileName(prefix: string, content: string): string {
  return `${prefix}${content}.onnx`;
}
