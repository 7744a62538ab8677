/**
 * How fast models come: a download from this machine beside curl's, parts of several sizes from a server that is far away, and how long a model of 100 MB
 * on the disk takes to its session, beside what reading the file and making the session take by themselves. Arguments name parts: loopback, distance, session.
 * Its goals go to the process that started it, if there is one (runtime/delivery.ts).
 */
import { execFileSync, fork, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../common/platform/clock.ts';
import { hashFile } from '../../runtime/delivery/hash-file.ts';
import { HttpClient } from '../../runtime/delivery/http/http-client.ts';
import { FETCH_LIMITS } from '../../runtime/delivery/fetch-limits.ts';
import { openModel } from '../../runtime/delivery/open-model.ts';
import { downloadObject, type TransferLimits } from '../../runtime/delivery/transfer/download-object.ts';
import { SessionThread } from '../../runtime/model/session-thread.ts';
import { startThread } from '../../runtime/model/start-thread.ts';
import { formatSummary, summarise, type Summary } from './median.ts';
import type { Goal } from './runtime/bench.ts';
import { writeMlp } from './runtime/models.ts';
import { formatTable } from './table.ts';

const ROUNDS = 7;
const MEBIBYTE = 2 ** 20;
const SESSION = { executionProviders: ['CPU'], intraOpThreads: 1 } as const;
const directory = mkdtempSync(join(tmpdir(), 'bench-delivery-'));
const signal = new AbortController().signal;

const PARTS: Readonly<Record<string, () => Promise<void>>> = { loopback, distance, session };
const asked = process.argv.slice(2);
try {
  console.log(`Node ${process.version}, load average ${loadavg()[0]?.toFixed(1) ?? '?'} at the begin`);
  for (const [name, measure] of Object.entries(PARTS)) if (asked.length === 0 || asked.includes(name)) await measure();
} finally {
  rmSync(directory, { recursive: true });
}

/**
 * One gigabyte, written to a file; ours is hashed too, which curl's is not, so a pipe that does both stands beside them. By turns, so that a neighbour's
 * load meets all.
 */
async function loopback(): Promise<void> {
  const size = 1024 * MEBIBYTE;
  const { url, server } = await serve({ SIZE: String(size) });
  const hasher = spawnSync('openssl', ['version']).status === 0 ? 'openssl dgst -sha256' : 'sha256sum';
  const path = join(directory, 'curl');
  const shell = (command: string): number => {
    const begun = performance.now();
    execFileSync('bash', ['-c', `set -o pipefail; ${command}`], { stdio: ['ignore', 'ignore', 'inherit'] });
    rmSync(path);
    return size / 1e6 / (performance.now() - begun);
  };
  const speeds: Record<'ours' | 'curl' | 'hashed', number[]> = { ours: [], curl: [], hashed: [] };
  try {
    for (let round = 0; round < ROUNDS; round += 1) {
      speeds.ours.push(size / 1e6 / (await download(url, FETCH_LIMITS)));
      speeds.curl.push(shell(`curl --silent --output ${path} ${url}`));
      speeds.hashed.push(shell(`curl --silent ${url} | tee ${path} | ${hasher}`));
    }
  } finally {
    await end(server);
  }
  const beside = (others: readonly number[]): Summary =>
    summarise(speeds.ours.map((speed, round) => speed / (others[round] ?? Number.NaN)));
  const ours = summarise(speeds.ours);
  const toCurl = beside(speeds.curl);
  console.log('\n1 GiB from this machine into a file, GB/s: median (least to most)');
  console.log(
    formatTable(
      ['by', 'GB/s', 'Pilotlight / this'],
      [
        ['Pilotlight, hashed', formatSummary(ours, 2), ''],
        ['curl, without a hash', formatSummary(summarise(speeds.curl), 2), formatSummary(toCurl, 2)],
        [
          `curl | tee | ${hasher.replace(/ .*/, '')}`,
          formatSummary(summarise(speeds.hashed), 2),
          formatSummary(beside(speeds.hashed), 2),
        ],
      ],
    ),
  );
  goal(
    ours.median >= 1
      ? { what: 'download from this machine, hashed, GB/s', reached: ours.median, atLeast: 1 }
      : {
          what: 'download from this machine, hashed / curl, which hashes nothing',
          reached: toCurl.median,
          atLeast: 0.8,
        },
  );
}

/** As S3 is to a node of its region: 30 ms to the first byte, 90 MB/s a connection. */
async function distance(): Promise<void> {
  const { url, server } = await serve({ SIZE: String(256 * MEBIBYTE), LATENCY: '30', RATE: '90000000' });
  const parallels = [1, 4, 8, 16];
  const rows: string[][] = [];
  try {
    for (const megabytes of [4, 8, 16, 32]) {
      const row = [`${megabytes} MiB`];
      for (const parallel of parallels) {
        const limits = { ...FETCH_LIMITS, partBytes: megabytes * MEBIBYTE, parallel };
        row.push(((256 * MEBIBYTE) / 1e6 / (await download(url, limits))).toFixed(2));
      }
      rows.push(row);
    }
  } finally {
    await end(server);
  }
  console.log('\n256 MiB from 30 ms away, 90 MB/s a connection, GB/s by size of parts and connections');
  console.log(formatTable(['part', ...parallels.map(String)], rows));
}

async function session(): Promise<void> {
  const path = join(directory, 'mlp.onnx');
  writeMlp(path);
  const { sha256 } = await hashFile(path);
  const options = { directory: join(directory, 'cache'), clock: systemClock, signal };
  const times: Record<string, number[]> = {};
  const note = async (name: string, work: () => Promise<void>): Promise<void> => {
    const begun = performance.now();
    await work();
    (times[name] ??= []).push(performance.now() - begun);
  };
  const { url, server } = await serveFile(path);
  try {
    for (let round = 0; round < ROUNDS; round += 1) {
      const ready = async (uri: string, pin?: string): Promise<void> =>
        withThread(async (thread) => {
          await note(
            `${uri.slice(0, uri.indexOf(':'))}:${pin === undefined ? '' : ' pinned'}${round > 0 && uri.startsWith('http') ? ', in the cache' : ''}`,
            async () => {
              const model = await openModel({ uri, ...(pin !== undefined && { sha256: pin }) }, options);
              await Promise.all([thread.create(model.path, SESSION), model.digest]);
              await model.confirm?.();
            },
          );
        });
      await withThread(async (thread) => {
        await note('floor: read and create', async () => {
          await readFile(path);
          await thread.create(path, SESSION);
        });
      });
      await ready(`file:${path}`);
      await ready(`file:${path}`, sha256);
      await ready(url, sha256);
    }
  } finally {
    await end(server);
  }
  const floor = summarise(times['floor: read and create'] ?? []).median;
  const rows = Object.entries(times).map(([name, values]) => {
    const { median, min, max } = summarise(values);
    return [name, median.toFixed(0), `${min.toFixed(0)} to ${max.toFixed(0)}`, (median / floor).toFixed(2)];
  });
  console.log('\nA model of 100 MB until its session is there, ms');
  console.log(formatTable(['from', 'median', 'range', 'x floor'], rows));
  for (const name of ['file:', 'file: pinned']) {
    const reached = summarise(times[name] ?? []).median / floor;
    goal({ what: `100 MB from ${name} to its session / read and create`, reached, atMost: 1.15 });
  }
}

function goal(one: Goal): void {
  process.send?.(one);
}

/** With ONNX Runtime loaded, which a start does while the model comes. */
async function withThread(use: (thread: SessionThread) => Promise<void>): Promise<void> {
  const thread = new SessionThread(startThread('bench'));
  try {
    await thread.prepare(SESSION.executionProviders);
    await use(thread);
  } finally {
    await thread.close();
  }
}

/** Milliseconds. */
async function download(url: string, limits: TransferLimits): Promise<number> {
  const path = join(directory, 'download');
  const client = new HttpClient({ clock: systemClock, limits: FETCH_LIMITS, redirects: 0 });
  const begun = performance.now();
  await downloadObject({ url: new URL(url) }, path, {
    client,
    clock: systemClock,
    random: () => 0,
    signal,
    limits,
    maximumBytes: 2 ** 40,
    makeRoom: () => Promise.resolve(),
  });
  const milliseconds = performance.now() - begun;
  client.close();
  rmSync(path);
  return milliseconds;
}

async function serve(variables: Record<string, string>): Promise<{ url: string; server: ChildProcess }> {
  const server = fork(join(import.meta.dirname, 'delivery-server.ts'), { env: { ...process.env, ...variables } });
  const [port] = (await once(server, 'message')) as [number];
  return { url: `http://127.0.0.1:${port}/model.onnx`, server };
}

function serveFile(path: string): Promise<{ url: string; server: ChildProcess }> {
  return serve({ FILE: path });
}

async function end(server: ChildProcess): Promise<void> {
  const ended = once(server, 'exit');
  server.kill();
  await ended;
}
