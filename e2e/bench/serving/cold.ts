/** From zero to the whole answer, so many at once, by turns with Knative and with bare pods. */
import { line, row } from '../in-cluster/lines.ts';
import { summarise } from '../median.ts';
import { countOf, quantileOf, subtractBuckets } from '../../cluster/support/histogram.ts';
import { modelFunction, STABLE_WINDOW_SECONDS } from '../../cluster/support/manifests.ts';
import { rivalOf, type Rival, type RivalKind } from './cold-rival.ts';
import { addressOf, GATEWAY_PORT, gatewayPods, makeFunctions } from './functions.ts';
import { withGoal } from './goal.ts';
import type { ColdPlan, ColdRound, ColdTurn } from './inside/cold.ts';
import type { Target } from './inside/target.ts';
import { knativeImage } from './knative-image.ts';
import { ACTIVATOR_PORT, makeServices, revisionHeaders, type Serving } from './knative.ts';
import { runPlan, type Bench } from './part.ts';
import { readWakes } from './wake-histogram.ts';

/** Turns in a round, by how many are called at once: a round is long, for Knative's pods must be gone in the end. */
const TURNS: Readonly<Record<number, number>> = { 1: 3 };
/** Knative's time by ours, by how many are called at once, where it runs the program. */
const FASTER: Readonly<Record<number, number>> = { 1: 2.5, 5: 2 };
/** Milliseconds from the decision to wake to the call that makes the pod. */
const WAKE = { atMost: 15 };

const NOBODY: Serving = { revisions: [] };

export function cold(
  together: number,
  kind: RivalKind = 'program',
): (bench: Bench, rounds: number) => Promise<string[]> {
  return async (bench, rounds) => {
    if (kind === 'model' && bench.knative === undefined)
      return [`${together} at once: without Knative as cold-${together}`];
    const { namespace } = bench.workplace;
    const indices = Array.from({ length: together * (TURNS[together] ?? 1) }, (_, index) => index);
    const functions = indices.map((index) =>
      modelFunction(`cold-${index}`, { resources: {}, scaling: { maxReplicas: 1 } }),
    );
    await makeFunctions(namespace, functions);
    const gateways = (await gatewayPods()).map(addressOf);
    const targets = functions.map(({ metadata: { name } }, index): Target => {
      const host = gateways[index % gateways.length] ?? '';
      return { name, host, port: GATEWAY_PORT, headers: { host: `${name}.${namespace}` } };
    });
    const rival = await rivalOf(kind, namespace);
    const serving = bench.knative === undefined ? NOBODY : await serveByKnative(namespace, functions.length, rival);
    const activator = bench.knative === undefined ? '' : addressOf(bench.knative.activator);
    const knative = ('revisions' in serving ? serving.revisions : []).map((name): Target => {
      return { name, host: activator, port: ACTIVATOR_PORT, headers: revisionHeaders(namespace, name) };
    });
    const plan: ColdPlan = { rounds, together, functions: targets, knative, knativeAnswers: rival.answers };
    const before = await readWakes();
    const measured: ColdRound[] = [];
    await runPlan(bench, 'cold', plan, (report) => {
      if ('cold' in report) measured.push(report.cold);
    });
    const wakes = subtractBuckets(await readWakes(), before);
    const wake = (share: number): number => quantileOf(wakes, share) * 1000;
    return [
      ...printCold(together, kind, measured),
      ...('problem' in serving ? [`  ${serving.problem}`] : []),
      line(
        `decision to wake until the call that makes a pod, p50, ms (n=${countOf(wakes)})`,
        withGoal(wake(0.5), 1, WAKE),
      ),
      line('the same, p99, ms', wake(0.99).toFixed(1)),
    ];
  };
}

async function serveByKnative(namespace: string, length: number, { container }: Rival): Promise<Serving> {
  const image = await knativeImage();
  const services = Array.from({ length }, (_, index) => ({
    name: `knative-${index}`,
    autoscaling: { window: `${STABLE_WINDOW_SECONDS}s`, 'target-burst-capacity': '-1' },
    container: container(image),
  }));
  return makeServices(namespace, services);
}

type ColdKind = 'bare' | 'functions' | 'knative';

function printCold(together: number, kind: RivalKind, rounds: readonly ColdRound[]): string[] {
  const turns = (of: ColdKind): readonly ColdTurn[] => rounds.flatMap((round) => round[of]);
  const each = (of: ColdKind): number[] => turns(of).flatMap((turn) => turn.each);
  const last = (of: ColdKind): number[] => turns(of).map((turn) => Math.max(...turn.each));
  const all = [...turns('bare'), ...turns('functions'), ...turns('knative')];
  const quiet = `${all.filter((turn) => turn.quiet).length} of ${all.length}`;
  const lines = [
    `${together} at once from zero, milliseconds from the call: median (min to max, n)`,
    line('turns that began while the node was quiet', quiet),
    row('bare pod, until its program calls home', each('bare')),
    row('function, whole right answer', each('functions')),
  ];
  const hasKnative = each('knative').length > 0;
  const what = kind === 'program' ? 'Service of Knative' : 'Service of Knative with the same runtime and model';
  if (hasKnative) lines.push(row(`${what}, whole right answer`, each('knative')));
  if (together > 1) {
    lines.push(row('bare pods, the last', last('bare')), row('functions, the last', last('functions')));
    if (hasKnative) lines.push(row('Services of Knative, the last', last('knative')));
  }
  lines.push(line('functions / bare pods', ratio(each('functions'), each('bare')).toFixed(2)));
  const failures = new Set(rounds.flatMap(({ knativeFailures }) => knativeFailures));
  lines.push(...[...failures].map((failure) => `  a turn of Knative does not count: ${failure}`));
  if (!hasKnative) return lines;
  const faster = (what: string, figures: typeof each): string => {
    const times = ratio(figures('knative'), figures('functions'));
    const goal = kind === 'program' ? FASTER[together] : undefined;
    return line(
      `Knative / functions${what}`,
      goal === undefined ? times.toFixed(2) : withGoal(times, 2, { atLeast: goal }),
    );
  };
  return [...lines, faster('', each), ...(together > 1 ? [faster(', the last', last)] : [])];
}

function ratio(values: readonly number[], of: readonly number[]): number {
  return summarise(values).median / summarise(of).median;
}
