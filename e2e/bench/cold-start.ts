/**
 * How long a request at zero takes in local mode, beside what cannot be beaten: a bare HTTP server of the same Node, and the same runtime started
 * alone. All three by turns in one run, on the digits example; milliseconds until the first byte of the answer.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { request } from 'undici';
import { startLocalPlatform, type LocalPlatform } from '../../cli/local/local-platform.ts';
import { systemClock } from '../../common/platform/clock.ts';
import { createLogger } from '../../common/platform/logging.ts';
import type { Announcement } from '../../common/wire/announcement.ts';
import {
  RUNTIME_ENVIRONMENT,
  RUNTIME_NODE_FLAGS,
  type RuntimeSpecification,
} from '../../common/wire/runtime-environment.ts';
import type { ModelFunction } from '../../common/api/kinds.ts';
import type { WatchEvent } from '../../operator/cluster/port.ts';
import { MODEL_FUNCTIONS, PODS, type Pod } from '../../operator/cluster/resources.ts';
import { formatSummary, summarise } from './median.ts';

const ROUNDS = Number(process.argv[2] ?? 9);
const ROOT = join(import.meta.dirname, '..', '..');
const MODEL = pathToFileURL(join(ROOT, 'examples', 'digits', 'model.onnx')).href;
const BODY = readFileSync(join(ROOT, 'examples', 'digits', 'request.json'));
const INFER = '/v2/models/digits/infer';
const BARE = `require('node:http').createServer((q, r) => r.end('ok')).listen(0, '127.0.0.1', function () { console.log(this.address().port) })`;

const directory = mkdtempSync(join(tmpdir(), 'pilotlight-bench-'));
try {
  await measure();
} finally {
  rmSync(directory, { recursive: true, force: true });
}

async function measure(): Promise<void> {
  const figures = { bare: [] as number[], alone: [] as number[], local: [] as number[] };
  const platform = await startLocalPlatform({
    ports: { http: 0, metrics: 0 },
    directory,
    clock: systemClock,
    random: Math.random,
    logger: createLogger('bench', 'error'),
    runtimeLogLevel: 'error',
    onPodLine: (pod, line) => process.stderr.write(`${pod}  ${line}\n`),
  });
  try {
    await platform.cluster.create(MODEL_FUNCTIONS, digits());
    // The first start of each also fills the cache of compiled code, so it is not counted.
    for (let round = 0; round <= ROUNDS; round++) {
      const bare = await bareServer();
      const alone = await runtimeAlone();
      await untilGone(platform);
      const local = await requestAtZero(platform);
      process.stderr.write(
        `${round === 0 ? 'warm-up' : `round ${round} of ${ROUNDS}`}: ${bare.toFixed(0)} ${alone.toFixed(0)} ${local.toFixed(0)}\n`,
      );
      if (round === 0) continue;
      figures.bare.push(bare);
      figures.alone.push(alone);
      figures.local.push(local);
    }
  } finally {
    await platform.close();
  }
  const [bare, alone, local] = [summarise(figures.bare), summarise(figures.alone), summarise(figures.local)];
  process.stdout.write(
    [
      'Cold start in local mode, milliseconds to the first byte: median (min to max)',
      `  bare node:http server, spawned    ${formatSummary(bare)}`,
      `  the runtime alone, spawned        ${formatSummary(alone)}`,
      `  a request at zero                 ${formatSummary(local)}`,
      `  request at zero / runtime alone   ${(local.median / alone.median).toFixed(2)}  (goal: at most 1.3)`,
      `  request at zero / bare server     ${(local.median / bare.median).toFixed(2)}  (goal: at most 5)`,
      '',
    ].join('\n'),
  );
}

async function bareServer(): Promise<number> {
  const started = performance.now();
  const child = spawn(process.execPath, ['-e', BARE], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [port] = (await once(child.stdout, 'data')) as [Buffer];
  await firstByte(`http://127.0.0.1:${port.toString().trim()}`, '/');
  const took = performance.now() - started;
  await end(child);
  return took;
}

/** Its announcement comes to this process instead of a gateway, and is answered with a request at once. */
async function runtimeAlone(): Promise<number> {
  const announced = Promise.withResolvers<Announcement>();
  const server = createServer((incoming, response) => {
    const parts: Buffer[] = [];
    incoming.on('data', (part: Buffer) => parts.push(part));
    incoming.on('end', () => {
      response.writeHead(204).end();
      announced.resolve(JSON.parse(Buffer.concat(parts).toString()) as Announcement);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const gateway = `127.0.0.1:${(server.address() as AddressInfo).port}`;

  const started = performance.now();
  const child = spawn(process.execPath, [...RUNTIME_NODE_FLAGS, join(ROOT, 'dist', 'runtime.js')], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: runtimeEnvironment(gateway),
  });
  const { host, ports } = await announced.promise;
  await firstByte(`http://${host}:${ports.http}`, INFER, BODY);
  const took = performance.now() - started;
  await end(child);
  server.close();
  return took;
}

function runtimeEnvironment(gateway: string): Record<string, string> {
  const specification: RuntimeSpecification = {
    namespace: 'default',
    function: 'digits',
    revision: 'digits-00001',
    model: { uri: MODEL },
    executionProviders: ['CPU'],
    instances: 1,
    intraOpThreads: 1,
    batching: { maxBatchSize: 32, maxDelayMilliseconds: 0 },
    timeoutSeconds: 60,
  };
  const names = RUNTIME_ENVIRONMENT;
  return {
    NODE_COMPILE_CACHE: join(directory, 'compile-cache'),
    [names.specification]: JSON.stringify(specification),
    [names.podName]: 'alone',
    [names.podUid]: 'alone',
    [names.podHost]: '127.0.0.1',
    [names.gateways]: gateway,
    [names.announceToken]: 'none',
    [names.drainToken]: 'none',
    [names.httpPort]: '0',
    [names.controlPort]: '0',
    [names.metricsPort]: '0',
    [names.modelDirectory]: join(directory, 'models'),
    [names.logLevel]: 'error',
  };
}

async function requestAtZero(platform: LocalPlatform): Promise<number> {
  const started = performance.now();
  await firstByte(platform.gateway, `/functions/default/digits${INFER}`, BODY);
  return performance.now() - started;
}

/** Waits until the function is proven, has no pod, ending ones included, and nobody wants one. */
function untilGone({ cluster }: LocalPlatform): Promise<void> {
  const stop = new AbortController();
  return new Promise((resolve) => {
    const pods = new Set<string>();
    let atZero = false;
    const look = (): void => {
      if (!atZero || pods.size > 0) return;
      stop.abort();
      resolve();
    };
    const scope = { namespace: 'default' };
    const seePod = (event: WatchEvent<Pod>): void => {
      if (event.type === 'Applied') pods.add(event.object.metadata.name);
      if (event.type === 'Deleted') pods.delete(event.object.metadata.name);
      look();
    };
    const seeFunction = (event: WatchEvent<ModelFunction>): void => {
      if (event.type !== 'Applied') return;
      const { conditions = [], desiredReplicas } = event.object.status ?? {};
      atZero = desiredReplicas === 0 && conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
      look();
    };
    cluster.watch(PODS, scope, seePod, stop.signal);
    cluster.watch(MODEL_FUNCTIONS, scope, seeFunction, stop.signal);
  });
}

async function firstByte(origin: string, path: string, body?: Buffer): Promise<void> {
  const answer = await request(origin + path, body === undefined ? {} : { method: 'POST', body });
  const text = await answer.body.text();
  if (answer.statusCode !== 200) throw new Error(`${origin}${path} answered ${answer.statusCode}: ${text}`);
}

async function end(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}

function digits(): ModelFunction {
  const manifest = {
    apiVersion: 'pilotlight.dev/v1alpha1',
    kind: 'ModelFunction',
    metadata: { name: 'digits', namespace: 'default' },
    // The shortest window there is, so that the rounds do not take minutes.
    spec: { model: { uri: MODEL }, scaling: { stableWindowSeconds: 6 } },
  };
  return manifest as unknown as ModelFunction;
}
