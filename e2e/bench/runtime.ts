/**
 * CPU that one small request costs the runtime when it is saturated, all its threads together, beside what cannot be beaten: a bare HTTP server of the
 * same Node that takes and gives as many bytes, and the model's own run of one row. All by turns in one run, on the digits example.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { RUNTIME_ENVIRONMENT, type RuntimeSpecification } from '../../common/wire/runtime-environment.ts';
import { closedLoop, type ClosedLoop } from './http-load.ts';
import { formatSummary, summarise, type Summary } from './median.ts';

const ROUNDS = Number(process.argv[2] ?? 7);
const GOAL_MICROSECONDS = 120;
const CONNECTIONS = 64;
const ROUND_MILLISECONDS = 1500;
const ROOT = join(import.meta.dirname, '..', '..');
const MODEL = join(ROOT, 'examples', 'digits', 'model.onnx');
/** The kernel's unit of CPU time in /proc is 10 ms on every Linux that Node supports. */
const MICROSECONDS_PER_TICK = 10_000;

const json = Buffer.from(
  '{"inputs":[{"name":"pixels","datatype":"FP32","shape":[1,64],"parameters":{"binary_data_size":256}}],"parameters":{"binary_data_output":true}}',
);
const request: Pick<ClosedLoop, 'headers' | 'body'> = {
  headers: { 'inference-header-content-length': String(json.length), 'content-type': 'application/octet-stream' },
  body: Buffer.concat([json, Buffer.alloc(256)]),
};

/** Answers with about as many bytes as the runtime does for one row of digits. */
const ECHO = `
  const answer = Buffer.alloc(300);
  require('node:http').createServer((request, response) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => { Buffer.concat(chunks); response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': 300 }).end(answer); });
  }).listen(0, '127.0.0.1', function () { console.error(JSON.stringify({ ports: { http: this.address().port } })); });`;

/** Prints the CPU microseconds of a run, over as many as fill a round. */
const RUN = `
  const { InferenceSession, Tensor } = require('onnxruntime-node');
  (async () => {
    const session = await InferenceSession.create(${JSON.stringify(MODEL)}, { intraOpNumThreads: 1, interOpNumThreads: 1 });
    const run = () => session.run({ pixels: new Tensor('float32', new Float32Array(64), [1, 64]) });
    for (let index = 0; index < 1000; index++) await run();
    const before = process.cpuUsage();
    const end = performance.now() + ${ROUND_MILLISECONDS};
    let runs = 0;
    for (; performance.now() < end; runs++) await run();
    const { user, system } = process.cpuUsage(before);
    console.log((user + system) / runs);
  })();`;

interface Server {
  readonly process: ChildProcess;
  readonly port: number;
}

const directory = mkdtempSync(join(tmpdir(), 'pilotlight-bench-'));
const started: ChildProcess[] = [];
try {
  await measure();
} finally {
  for (const child of started) child.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
}

async function measure(): Promise<void> {
  const runtime = await startServer([join(ROOT, 'dist', 'runtime.js')]);
  const echo = await startServer(['-e', ECHO]);
  const infer = { ...request, path: '/v2/models/digits/infer' };
  const figures = { runtime: [] as number[], rate: [] as number[], echo: [] as number[], run: [] as number[] };
  for (let round = 0; round <= ROUNDS; round++) {
    const loaded = await costOf(runtime, infer);
    const echoed = await costOf(echo, { ...request, path: '/' });
    const ran = await costOfRun();
    process.stderr.write(
      `${round === 0 ? 'warm-up' : `round ${round} of ${ROUNDS}`}: ${loaded.microseconds.toFixed(0)}\n`,
    );
    // The first round compiles the hot code, so it is not counted.
    if (round === 0) continue;
    figures.runtime.push(loaded.microseconds);
    figures.rate.push(loaded.perSecond);
    figures.echo.push(echoed.microseconds);
    figures.run.push(ran);
  }
  report(summarise(figures.runtime), summarise(figures.rate), summarise(figures.echo), summarise(figures.run));
}

function report(runtime: Summary, rate: Summary, echo: Summary, run: Summary): void {
  process.stdout.write(`Runtime, a binary request of one row of digits, ${CONNECTIONS} connections: median (min to max)
  CPU a request, µs                 ${formatSummary(runtime)}  (goal: at most ${GOAL_MICROSECONDS})
  of that, bare HTTP server, µs     ${formatSummary(echo)}
  of that, the run of one row, µs   ${formatSummary(run)}
  CPU a request / both of those     ${(runtime.median / (echo.median + run.median)).toFixed(2)}
  requests a second                 ${formatSummary(rate, 0)}
`);
  if (runtime.median > GOAL_MICROSECONDS) process.exitCode = 1;
}

async function costOf(
  { process: child, port }: Server,
  load: Pick<ClosedLoop, 'path' | 'headers' | 'body'>,
): Promise<{ microseconds: number; perSecond: number }> {
  const before = cpuMicroseconds(child);
  const { requests, seconds } = await closedLoop({
    ...load,
    port,
    connections: CONNECTIONS,
    milliseconds: ROUND_MILLISECONDS,
  });
  return { microseconds: (cpuMicroseconds(child) - before) / requests, perSecond: requests / seconds };
}

/** User and system time of a process with all its threads. */
function cpuMicroseconds({ pid }: ChildProcess): number {
  const stat = readFileSync(`/proc/${pid ?? ''}/stat`, 'utf8');
  // After the program's name, which may hold anything: state is field 3, utime 14 and stime 15.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * MICROSECONDS_PER_TICK;
}

async function costOfRun(): Promise<number> {
  const child = spawn(process.execPath, ['-e', RUN], { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] });
  started.push(child);
  const [chunk] = (await once(child.stdout, 'data')) as [Buffer];
  return Number(chunk.toString());
}

/** Resolves when the program has logged the ports it took, and then that it is ready if it ever is not. */
async function startServer(args: readonly string[]): Promise<Server> {
  const specification: RuntimeSpecification = {
    namespace: 'default',
    function: 'digits',
    revision: 'digits-00001',
    model: { uri: pathToFileURL(MODEL).href },
    executionProviders: ['CPU'],
    instances: 1,
    intraOpThreads: 1,
    batching: { maxBatchSize: 32, maxDelayMilliseconds: 0 },
    timeoutSeconds: 60,
  };
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      ...process.env,
      [RUNTIME_ENVIRONMENT.specification]: JSON.stringify(specification),
      [RUNTIME_ENVIRONMENT.modelDirectory]: directory,
      [RUNTIME_ENVIRONMENT.httpPort]: '0',
      [RUNTIME_ENVIRONMENT.metricsPort]: '0',
    },
  });
  started.push(child);
  for await (const line of createInterface({ input: child.stderr })) {
    const entry = JSON.parse(line) as { readonly ports?: { readonly http: number } };
    if (entry.ports !== undefined) return { process: child, port: await untilReady(entry.ports.http) };
  }
  throw new Error(`The program ended before it listened: ${args.join(' ')}`);
}

/** The bare server says 200 to everything, the runtime to its readiness once the model is warm. */
async function untilReady(port: number): Promise<number> {
  while ((await fetch(`http://127.0.0.1:${port}/v2/health/ready`)).status !== 200);
  return port;
}
