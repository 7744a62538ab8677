/**
 * What the gateway costs: its processor time for one small request under load, and the time it adds to a request on one connection beside the same
 * request sent to the pod directly. Beside it stands the least that a proxy of the same parts costs, for the figures of another machine. All are
 * processes of their own, measured by turns in one run. The gateway is the bundle that the image has, so build first. Needs Linux, for /proc.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Pool, type Dispatcher } from 'undici';
import { encodeLine } from '../../common/wire/ndjson.ts';
import { STREAM_PATH } from '../../common/wire/stream.ts';
import { GATEWAY_ENVIRONMENT } from '../../gateway/configuration.ts';
import { deployedEnvironment } from './deployed-environment.ts';
import { formatSummary, summarise, type Summary } from './median.ts';

const ROUNDS = Number(process.argv[2] ?? 7);
const ROOT = join(import.meta.dirname, '..', '..');
const UID = 'bench';
const TOKEN = 'bench';
const BODY = Buffer.alloc(256, 1);
const LOAD = { connections: 32, requests: 20_000 };
const SEQUENTIAL_REQUESTS = 2_000;
/** The kernel counts processor time in these (USER_HZ, fixed at 100 for programs). */
const MICROSECONDS_PER_TICK = 10_000;
const TARGETS = { cpu: 60, added: 0.25 };

interface Figures {
  readonly cpu: number[];
  readonly bare: number[];
  readonly direct: number[];
  readonly through: number[];
  readonly added: number[];
}

const children: ChildProcess[] = [];
try {
  report(await measure());
} finally {
  for (const child of children) child.kill('SIGKILL');
}

async function measure(): Promise<Figures> {
  const { port: podPort } = await startProgram('bare-runtime.ts', UID);
  const proxy = await startProgram('bare-proxy.ts', `http://127.0.0.1:${podPort}`);
  const { gateway, port } = await startGateway(podPort);
  const figures: Figures = { cpu: [], bare: [], direct: [], through: [], added: [] };
  for (let round = 0; round <= ROUNDS; round += 1) {
    const direct = await medianLatency(podPort);
    const through = await medianLatency(port);
    const cpu = await processorTime(gateway, port);
    const bare = await processorTime(proxy.child, proxy.port);
    process.stderr.write(
      `${round === 0 ? 'warm-up' : `round ${round} of ${ROUNDS}`}: ${cpu.toFixed(1)} µs, ${bare.toFixed(1)} µs, ${direct.toFixed(3)} ms, ${through.toFixed(3)} ms\n`,
    );
    // The first round also compiles.
    if (round === 0) continue;
    figures.cpu.push(cpu);
    figures.bare.push(bare);
    figures.direct.push(direct);
    figures.through.push(through);
    figures.added.push(through - direct);
  }
  return figures;
}

function report({ cpu, bare, direct, through, added }: Figures): void {
  const row = (what: string, summary: Summary, digits: number, target?: number): void => {
    const verdict = target === undefined ? '' : `  target ${target}: ${summary.median <= target ? 'met' : 'missed'}`;
    console.log(`${what.padEnd(44)} ${formatSummary(summary, digits)}${verdict}`);
  };
  row('gateway CPU per small request, µs', summarise(cpu), 1, TARGETS.cpu);
  row('CPU of a bare node:http and undici proxy, µs', summarise(bare), 1);
  row('gateway CPU in bare proxies', summarise(cpu.map((one, round) => one / (bare[round] ?? Number.NaN))), 2);
  row('p50 with one connection, pod directly, ms', summarise(direct), 3);
  row('p50 with one connection, through gateway, ms', summarise(through), 3);
  row('added by the gateway at p50, ms', summarise(added), 3, TARGETS.added);
}

/** Microseconds of the process for one request, at as many connections as keep it busy. */
async function processorTime(child: ChildProcess, port: number): Promise<number> {
  const pool = new Pool(`http://127.0.0.1:${port}`, { connections: LOAD.connections });
  const before = ticks(child);
  let left = LOAD.requests;
  await Promise.all(
    Array.from({ length: LOAD.connections }, async () => {
      while (left > 0) {
        left -= 1;
        await send(pool);
      }
    }),
  );
  const spent = (ticks(child) - before) * MICROSECONDS_PER_TICK;
  await pool.close();
  if (spent === 0) throw new Error('The gateway used no processor time: nothing was measured.');
  return spent / LOAD.requests;
}

/** Milliseconds. */
async function medianLatency(port: number): Promise<number> {
  const pool = new Pool(`http://127.0.0.1:${port}`, { connections: 1 });
  const latencies: number[] = [];
  for (let count = 0; count < SEQUENTIAL_REQUESTS; count += 1) {
    const start = performance.now();
    await send(pool);
    latencies.push(performance.now() - start);
  }
  await pool.close();
  return summarise(latencies).median;
}

function send(pool: Pool): Promise<void> {
  return new Promise((resolve, reject) => {
    let status = 0;
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart: () => undefined,
      onResponseStart: (_controller, code) => {
        status = code;
      },
      onResponseData: () => undefined,
      onResponseEnd: () => {
        if (status === 200) resolve();
        else reject(new Error(`A request was answered ${status} instead of 200.`));
      },
      onResponseError: (_controller, error) => {
        reject(error);
      },
    };
    const headers = { host: 'bench.default', 'content-type': 'application/octet-stream' };
    pool.dispatch({ method: 'POST', path: '/v2/models/bench/infer', headers, body: BODY }, handler);
  });
}

/** User and system time of a process so far. */
function ticks({ pid }: ChildProcess): number {
  const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
  // The name in parentheses may hold anything; the fields after it are fixed: utime is the 14th of all, stime the 15th.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

/** One of this folder, which prints the port that it listens on. */
async function startProgram(
  file: string,
  argument: string,
): Promise<{ readonly child: ChildProcess; readonly port: number }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, file), argument], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return { child, port: Number(String(line)) };
}

async function startGateway(podPort: number): Promise<{ readonly gateway: ChildProcess; readonly port: number }> {
  const [http, control] = [await freePort(), await freePort()];
  const names = GATEWAY_ENVIRONMENT;
  const gateway = spawn(process.execPath, [join(ROOT, 'dist', 'gateway.js')], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: {
      ...process.env,
      ...deployedEnvironment('gateway'),
      [names.controlToken]: TOKEN,
      [names.host]: '127.0.0.1',
      [names.httpPort]: String(http),
      [names.externalPort]: '0',
      [names.controlPort]: String(control),
      [names.metricsPort]: '0',
      [names.logLevel]: 'error',
    },
  });
  children.push(gateway);
  while (!(await sendRoutes(control, podPort))) await new Promise((resolve) => setTimeout(resolve, 20));
  return { gateway, port: http };
}

/** Plays the operator: opens the stream and leaves it open. False: the gateway does not listen yet. */
function sendRoutes(control: number, podPort: number): Promise<boolean> {
  return new Promise((resolve) => {
    const headers = { authorization: `Bearer ${TOKEN}` };
    const stream = httpRequest({ host: '127.0.0.1', port: control, method: 'POST', path: STREAM_PATH, headers });
    stream.on('error', () => {
      resolve(false);
    });
    stream.on('response', (response) => {
      response.resume();
      // The gateway takes lines in order and answers at the latest with its next heartbeat.
      response.once('data', () => {
        resolve(true);
      });
    });
    const pod = {
      name: 'bench-00001-0',
      uid: UID,
      state: 'Ready',
      host: '127.0.0.1',
      ports: { http: podPort, control: 1 },
    };
    const route = {
      namespace: 'default',
      name: 'bench',
      visibility: 'Cluster',
      timeoutSeconds: 60,
      concurrencyLimit: 0,
      queue: { maxRequests: 1_000, maxBytes: 268_435_456, timeoutSeconds: 60 },
      traffic: [{ revision: 'bench-00001', percent: 100 }],
      revisions: [{ name: 'bench-00001', pods: [pod] }],
    };
    stream.write(encodeLine({ type: 'hello', operator: 'bench' }));
    stream.write(encodeLine({ type: 'routes', epoch: 1, sequence: 1, full: true, functions: [route], removed: [] }));
  });
}

/** One that is free now; the gateway's environment must name it before it starts. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('There is no free port.');
  return address.port;
}
