/** Loads as Knative's own suite of performance has them, scaled to two cores: what stands before the pods must not be noticed, and nothing be lost. */
import type { ModelFunctionManifest } from '../../../common/api/kinds.ts';
import { RUNTIME_PORTS } from '../../../operator/pods/runtime-ports.ts';
import { sleeping } from '../../knative/sleeping-model.ts';
import { modelFunction } from '../../cluster/support/manifests.ts';
import { row } from '../in-cluster/lines.ts';
import { addressOf, applyFunctions, GATEWAY_PORT, gatewayPods, makeFunctions, podsOfFunction } from './functions.ts';
import type { LoadResult, LoadRun, LoadTarget } from './inside/load.ts';
import { beside, complete, slowest, waited } from './load-figures.ts';
import { runPlan, type Bench } from './part.ts';

/** What a model waits for company before it runs, as Knative's image sleeps for as long. */
const MODEL_MILLISECONDS = 100;
const REPLICAS = 2;
const STEADY = { rate: 200, seconds: 15 };
const RAMP = [100, 200, 300].map((rate) => ({ rate, seconds: 10 }));
const ROLLOUT = { rate: 200, seconds: 30 };
const MIXED = { rate: 50, seconds: 40 };

/** A fixed number of pods, through the gateways and directly by turns. */
export async function steady(bench: Bench, rounds: number): Promise<string[]> {
  const scene = await prepare(bench, [fixed('steady')]);
  const turn: LoadRun[] = [
    { name: 'direct', stages: [STEADY], targets: await scene.direct('steady') },
    { name: 'through', stages: [STEADY], targets: scene.through('steady') },
  ];
  const results = await run(bench, [warmUp(turn), ...Array.from({ length: rounds }, () => turn)].flat());
  return [`Steady: ${STEADY.rate} requests/s to ${REPLICAS} pods`, ...beside(results)];
}

/** More and more requests, of which the first find no pod; beside them the same to pods that are there. */
export async function ramp(bench: Bench, rounds: number): Promise<string[]> {
  const scaling = { target: 10, maxReplicas: 4 };
  const scene = await prepare(bench, [fixed('steady'), sleepy('ramp', { scaling })]);
  const direct = await scene.direct('steady');
  const turn: LoadRun[] = [
    { name: 'direct', stages: RAMP, targets: direct },
    { name: 'through', stages: RAMP, targets: scene.through('ramp'), fromZero: ['ramp'] },
  ];
  const results = await run(bench, Array.from({ length: rounds }, () => turn).flat());
  const rates = RAMP.map(({ rate }) => rate).join(', ');
  return [
    `Ramp from zero: ${rates} requests/s, ${RAMP[0]?.seconds} s each`,
    ...beside(results),
    slowest(results),
    waited(results),
  ];
}

/** A new revision takes over in the middle of a load, a third of the time after its begin. */
export async function rollout(bench: Bench, rounds: number): Promise<string[]> {
  const { namespace } = bench.workplace;
  const scene = await prepare(bench, [fixed('steady'), fixed('rollout')]);
  const direct = await scene.direct('steady');
  const turn: LoadRun[] = [
    { name: 'direct', stages: [{ ...ROLLOUT, seconds: ROLLOUT.seconds / 3 }], targets: direct },
    { name: 'through', stages: [ROLLOUT], targets: scene.through('rollout') },
  ];
  let updates = 0;
  const applied: Promise<unknown>[] = [];
  const results = await run(bench, Array.from({ length: rounds }, () => turn).flat(), (name) => {
    if (name !== 'through') return;
    updates += 1;
    const runtime = { env: [{ name: 'BENCH_UPDATE', value: String(updates) }] };
    const update = new Promise((resolve) => setTimeout(resolve, (ROLLOUT.seconds * 1000) / 3)).then(() =>
      applyFunctions(namespace, [{ ...fixed('rollout'), spec: { ...fixed('rollout').spec, runtime } }]),
    );
    // A failure is thrown below; until then nobody else would hear of it.
    update.catch(() => undefined);
    applied.push(update);
  });
  await Promise.all(applied);
  for (const { revisions } of results.filter(({ name }) => name === 'through')) {
    if (Object.keys(revisions).length < 2) throw new Error(`One revision answered all: ${JSON.stringify(revisions)}`);
  }
  return [`Rollout at ${ROLLOUT.rate} requests/s, ${REPLICAS} pods of each revision`, ...beside(results)];
}

/** Fifty functions, whose models take from no time to five seconds; ten of them are called seldom enough to be at zero each time. */
export async function mixed(bench: Bench, rounds: number): Promise<string[]> {
  const warm = 40;
  const seldom = 10;
  /** So that each of the seldom ones is called every 20 seconds, long after its window. */
  const every = (20 * MIXED.rate) / seldom;
  const latencies = [0, 100, 300, 1000, 2000, 5000];
  const paddings = [0, 1000, 10_000, 50_000];
  const latencyOf = (index: number): number => latencies[index % latencies.length] ?? 0;
  const functions = Array.from({ length: warm + seldom }, (_, index) => {
    const scaling = { target: 100, maxReplicas: 1, minReplicas: index < warm ? 1 : 0 };
    return modelFunction(`mixed-${index}`, { resources: {}, scaling, batching: sleeping(latencyOf(index)) });
  });
  const scene = await prepare(bench, functions);
  const targets = functions.map(({ metadata: { name } }, index): LoadTarget => {
    const [first] = scene.through(name, index);
    if (first === undefined) throw new Error('There is no gateway.');
    return { ...first, padding: paddings[index % paddings.length] ?? 0, modelMilliseconds: latencyOf(index) };
  });
  const order = Array.from({ length: every * seldom }, (_, index) =>
    index % every === 0 ? warm + index / every : index % warm,
  );
  const fromZero = functions.slice(warm).map(({ metadata }) => metadata.name);
  const one: LoadRun = { name: 'through', stages: [MIXED], targets, order, fromZero };
  const results = await run(
    bench,
    Array.from({ length: rounds }, () => one),
  );
  return [
    `${warm + seldom} functions of 0 to 5 s, ${seldom} of them from zero each time: ${MIXED.rate} requests/s`,
    row(
      'p95 beyond what the model may take, ms',
      results.map(({ p95 }) => p95),
    ),
    row(
      'slowest beyond what the model may take, ms',
      results.map(({ max }) => max),
    ),
    waited(results),
    ...complete(results),
  ];
}

interface Scene {
  /** The function's pods themselves. */
  direct(name: string): Promise<LoadTarget[]>;
  /** All gateways, from the one at `first` on. */
  through(name: string, first?: number): LoadTarget[];
}

async function prepare(
  { workplace: { namespace } }: Bench,
  functions: readonly ModelFunctionManifest[],
): Promise<Scene> {
  await makeFunctions(namespace, functions);
  const gateways = (await gatewayPods()).map(addressOf);
  return {
    direct: async (name) =>
      (await podsOfFunction(namespace, name)).map((pod) => ({
        function: name,
        host: addressOf(pod),
        port: RUNTIME_PORTS.http,
        headers: {},
      })),
    through: (name, first = 0) =>
      gateways.map((_, index) => ({
        function: name,
        host: gateways[(first + index) % gateways.length] ?? '',
        port: GATEWAY_PORT,
        headers: { host: `${name}.${namespace}` },
      })),
  };
}

function sleepy(name: string, spec: Parameters<typeof modelFunction>[1]): ModelFunctionManifest {
  return modelFunction(name, { resources: {}, batching: sleeping(MODEL_MILLISECONDS), ...spec });
}

function fixed(name: string): ModelFunctionManifest {
  return sleepy(name, { scaling: { minReplicas: REPLICAS, maxReplicas: REPLICAS } });
}

/** Compiles what it takes, and opens what connections it takes. */
function warmUp(turn: readonly LoadRun[]): LoadRun[] {
  return turn.map((one) => ({
    ...one,
    name: 'warm-up',
    stages: one.stages.map((stage) => ({ ...stage, seconds: 3 })),
  }));
}

async function run(
  bench: Bench,
  runs: readonly LoadRun[],
  onBegin: (name: string) => void = () => undefined,
): Promise<LoadResult[]> {
  const results: LoadResult[] = [];
  await runPlan(bench, 'load', { runs }, (report) => {
    if ('begins' in report) onBegin(report.begins);
    if (!('load' in report)) return;
    const { name, sent, p95 } = report.load;
    process.stderr.write(`load: ${name}, ${sent} requests, p95 ${p95.toFixed(0)} ms\n`);
    if (name !== 'warm-up') results.push(report.load);
  });
  for (const { name, wrong, revisions } of results) {
    if (wrong !== undefined) throw new Error(`An answer of "${name}" was wrong: ${wrong}`);
    if (Object.keys(revisions).length === 0) throw new Error(`No request of "${name}" was answered.`);
  }
  return results;
}
