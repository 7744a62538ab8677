/**
 * What traffic to many functions costs a gateway: CPU a request, latency and memory with 200 called functions among a thousand, by turns with the same requests to
 * those 200 without the others, and to one function alone. Each gateway is the image's bundle in a process of its own, with a pod for each called function, and the
 * routes of some change all the while. Ends with an error if any answer is not that of the function's own pod. Needs Linux, for /proc.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { FunctionRoute } from '../../common/wire/routes.ts';
import { functionRoute, revisionRoute } from '../../gateway/testing/gateway-fixture.ts';
import { StubOperator } from '../../gateway/testing/stub-operator.ts';
import { GatewayProcess } from '../local/gateway-process.ts';
import { cpuMicroseconds } from '../server/processor-time.ts';
import { residentMebibytes } from '../server/resident-memory.ts';
import { deployedEnvironment } from './deployed-environment.ts';
import { openLoop, type Exchange } from './http-load.ts';
import { formatSummary, summarise } from './median.ts';
import { quantile } from './runtime/measurement.ts';
import { formatTable } from './table.ts';

const SCENES = [
  { functions: 1, called: 1 },
  { functions: 200, called: 200 },
  { functions: 1_000, called: 200 },
];
const ROUNDS = Number(process.argv[2] ?? 5);
const LOAD = { rate: 400, connections: 64, milliseconds: 3_000 };
/** Uncounted, at the beginning of a turn: connections to pods that were idle while the other gateways had theirs are opened anew. */
const WARM_UP_MILLISECONDS = 1_000;
const CHANGES_PER_SECOND = 20;
const TOKEN = 'bench';
const BODY = Buffer.alloc(256, 1);

interface Scene {
  readonly functions: number;
  readonly called: number;
  readonly gateway: GatewayProcess;
  readonly operator: StubOperator;
  /** Of the gateway without any route, in MiB. */
  readonly bare: number;
  readonly rounds: Round[];
}

interface Round {
  /** Of the gateway for a request, in microseconds. */
  readonly cpu: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** Of demand, that an operator gets in a second. */
  readonly records: number;
  /** Resident, in MiB. */
  readonly memory: number;
}

const pods = spawn(process.execPath, [join(import.meta.dirname, 'bare-pods.ts'), '200'], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
const scenes: Scene[] = [];
try {
  const [line] = (await once(createInterface(pods.stdout), 'line')) as [string];
  const ports = JSON.parse(line) as number[];
  for (const { functions, called } of SCENES) scenes.push(await prepare(functions, called, ports));
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const scene of scenes) {
      const figures = await measure(scene, ports, round);
      // The first round also compiles, and connects.
      if (round > 0) scene.rounds.push(figures);
    }
  }
  report();
} finally {
  for (const { operator } of scenes) operator.cut();
  await Promise.all(scenes.map(({ gateway }) => gateway.close()));
  pods.kill('SIGKILL');
}

async function prepare(functions: number, called: number, ports: readonly number[]): Promise<Scene> {
  const environment = deployedEnvironment('gateway');
  const gateway = await GatewayProcess.start(`gateway-${functions}`, TOKEN, () => undefined, environment);
  const bare = residentMebibytes(gateway.pid ?? 0);
  const operator = new StubOperator(gateway.ports.control, TOKEN);
  operator.routes(
    1,
    Array.from({ length: functions }, (_, at) => routeOf(at, ports[at < called ? at : -1])),
  );
  return { functions, called, gateway, operator, bare, rounds: [] };
}

async function measure(scene: Scene, ports: readonly number[], round: number): Promise<Round> {
  const { functions, called, gateway } = scene;
  const pid = gateway.pid ?? 0;
  let changes = 0;
  const timer = setInterval(() => {
    const at = (changes * 7) % functions;
    changes += 1;
    scene.operator.change(1, [routeOf(at, ports[at < called ? at : -1], 60 + (changes % 600))]);
  }, 1000 / CHANGES_PER_SECOND);
  const exchanges = Array.from({ length: called }, (_, at) => exchange(at));
  const load = { ...LOAD, port: gateway.ports.http, path: '/', headers: {}, body: BODY, exchanges };
  let before = 0;
  let recordsBefore = 0;
  const result = await openLoop({ ...load, milliseconds: WARM_UP_MILLISECONDS })
    .then(() => {
      before = cpuMicroseconds(pid);
      recordsBefore = scene.operator.messages.all.length;
      return openLoop(load);
    })
    .finally(() => clearInterval(timer));
  const figures = {
    cpu: (cpuMicroseconds(pid) - before) / result.requests,
    p50: quantile(result.latencies, 0.5),
    p99: quantile(result.latencies, 0.99),
    records: (scene.operator.messages.all.length - recordsBefore) / result.seconds,
    memory: residentMebibytes(gateway.pid ?? 0),
  };
  process.stderr.write(
    `round ${round} of ${ROUNDS}, ${called} of ${functions}: ${result.requests} requests, ${changes} changes, ` +
      `${figures.cpu.toFixed(1)} µs, p50 ${figures.p50.toFixed(2)} ms, p99 ${figures.p99.toFixed(2)} ms, ${figures.memory.toFixed(0)} MiB\n`,
  );
  if (result.requests < LOAD.rate || changes === 0 || !(figures.cpu > 0)) throw new Error('Nothing was measured.');
  return figures;
}

function exchange(at: number): Exchange {
  return {
    path: `/v2/models/model-${at}/infer`,
    headers: { host: `model-${at}.models`, 'content-type': 'application/octet-stream' },
    body: BODY,
    answer: Buffer.from(`uid-${at}`),
  };
}

function routeOf(at: number, port: number | undefined, timeoutSeconds = 60): FunctionRoute {
  const name = `model-${at}`;
  const revision = `${name}-00001`;
  const pod = { name: `${revision}-0`, uid: `uid-${at}`, state: 'Ready' as const, host: '127.0.0.1' };
  const pods = port === undefined ? [] : [{ ...pod, ports: { http: port, control: 1 } }];
  return functionRoute({
    namespace: 'models',
    name,
    timeoutSeconds,
    revisions: [revisionRoute(pods, { name: revision })],
  });
}

function report(): void {
  const alone = scenes[0]?.rounds ?? [];
  const rows = scenes.map(({ functions, called, bare, rounds }) => {
    const over = (digits: number, figure: (round: Round, index: number) => number): string =>
      formatSummary(summarise(rounds.map(figure)), digits);
    return [
      `${called} of ${functions}`,
      over(1, ({ cpu }) => cpu),
      over(2, ({ cpu }, index) => cpu / (alone[index]?.cpu ?? Number.NaN)),
      over(2, ({ p50 }) => p50),
      over(2, ({ p99 }) => p99),
      over(1, ({ records }) => records),
      bare.toFixed(0),
      over(0, ({ memory }) => memory),
    ];
  });
  console.log(
    `${formatTable(['called functions', 'CPU a request, µs', '/ one alone', 'p50, ms', 'p99, ms', 'records/s', 'MiB without routes', 'MiB resident'], rows)}\n` +
      `${LOAD.rate} requests a second in turn to each called function, ${CHANGES_PER_SECOND} changed routes a second; every answer was right.`,
  );
}
