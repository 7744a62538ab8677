/**
 * How fast models come: a download from this machine beside curl's, parts of several sizes from a server that is far away, and how long a model of 100 MB
 * on the disk takes to its session, beside what reading the file and making the session take by themselves. Arguments name parts: loopback, distance, session.
 */
import { execFileSync, fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../common/platform/clock.ts';
import { hashFile } from '../../runtime/delivery/hash-file.ts';
import { HttpClient } from '../../runtime/delivery/http/http-client.ts';
import { FETCH_LIMITS } from '../../runtime/delivery/fetch-model.ts';
import { openModel } from '../../runtime/delivery/open-model.ts';
import { downloadObject, type TransferLimits } from '../../runtime/delivery/transfer/download-object.ts';
import { SessionThread } from '../../runtime/model/session-thread.ts';
import { formatSummary, summarise } from './median.ts';
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

/** One gigabyte, written to a file; ours is hashed too. By turns, so that a neighbour's load meets both. */
async function loopback(): Promise<void> {
  const size = 1024 * MEBIBYTE;
  const { url, server } = await serve({ SIZE: String(size) });
  const ours: number[] = [];
  const curls: number[] = [];
  const hashed: number[] = [];
  try {
    for (let round = 0; round < ROUNDS; round += 1) {
      ours.push(size / 1e6 / (await download(url, FETCH_LIMITS)));
      const path = join(directory, 'curl');
      const begun = performance.now();
      execFileSync('curl', ['--silent', '--output', path, url]);
      curls.push(size / 1e6 / (performance.now() - begun));
      execFileSync('sha256sum', [path]);
      hashed.push(size / 1e6 / (performance.now() - begun));
      rmSync(path);
    }
  } finally {
    await end(server);
  }
  const ratios = ours.map((speed, round) => speed / (curls[round] ?? Number.NaN));
  console.log(`
1 GiB from this machine into a file, GB/s: median (least to most)
  Pilotlight, hashed  ${formatSummary(summarise(ours), 2)}
  curl                ${formatSummary(summarise(curls), 2)}
  curl, sha256sum     ${formatSummary(summarise(hashed), 2)}
  Pilotlight / curl   ${formatSummary(summarise(ratios), 2)}; at least 0.80, or 1 GB/s, is the aim`);
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
  console.log('\nA model of 100 MB until its session is there, ms; the aim is 1.15 x the floor');
  console.log(formatTable(['from', 'median', 'range', 'x floor'], rows));
}

/** With ONNX Runtime loaded, which a start does while the model comes. */
async function withThread(use: (thread: SessionThread) => Promise<void>): Promise<void> {
  const thread = new SessionThread('bench');
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
