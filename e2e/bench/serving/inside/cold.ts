/**
 * Requests that find nothing running, so many at once, each turn at a random moment and only if the API server knows no pod of what is called, ending ones
 * included: Services of Knative first, with no other pod around; then bare pods and functions, while those of Knative end, for which they take half a minute.
 */
import expected from '../../../../examples/digits/expected.json' with { type: 'json' };
import question from '../../../../examples/digits/request.json' with { type: 'json' };
import { compareOutputs, type JsonAnswer } from '../../../../examples/compare-outputs.ts';
import { listenAtHome, removeBarePods, startBarePod } from '../../in-cluster/inside/bare-pods.ts';
import { assertNone, followPods, FUNCTION_LABEL, others, untilPods, type Pod } from '../../in-cluster/inside/pods.ts';
import { postOnce, type Answer } from '../../in-cluster/inside/post-once.ts';
import { quietMoment } from '../../in-cluster/inside/quiet-moment.ts';
import { report } from './report.ts';
import type { Target } from './target.ts';

export interface ColdPlan {
  /** After one that is not counted: it finds caches cold, of the node and of this process. */
  readonly rounds: number;
  readonly together: number;
  /** For one turn or more. */
  readonly functions: readonly Target[];
  /** As many, or none without Knative. */
  readonly knative: readonly Target[];
  readonly knativeAnswers: RivalAnswer;
}

/** What Knative's pods say to whatever they are asked, or which model they have. */
export type RivalAnswer = { readonly text: string } | { readonly model: string };

export interface ColdRound {
  readonly bare: readonly ColdTurn[];
  readonly functions: readonly ColdTurn[];
  readonly knative: readonly ColdTurn[];
  /** Why turns of Knative are missing: not all of its answers came. */
  readonly knativeFailures: readonly string[];
}

export interface ColdTurn {
  /** The node had nothing else to do when it began. */
  readonly quiet: boolean;
  /** Milliseconds from just before the request to the whole answer; of a bare pod, from the call that makes it until its program calls home. */
  readonly each: readonly number[];
}

/** On the pods of Knative. */
const KNATIVE_LABEL = 'serving.knative.dev/revision';
const HEADERS = { 'content-type': 'application/json' };
const BODY = JSON.stringify(question);

export async function measureCold(image: string, plan: ColdPlan): Promise<void> {
  await Promise.all([followPods(), listenAtHome()]);
  await untilNone();
  for (let round = 0; round <= plan.rounds; round++) {
    await assertNone();
    const knativeFailures: string[] = [];
    const tried = await wakeInTurns(plan, plan.knative, (target) =>
      wakeKnative(target, plan.knativeAnswers).catch((error: unknown) => {
        knativeFailures.push(String(error));
        return Number.NaN;
      }),
    );
    const knative = tried.filter(({ each }) => !each.includes(Number.NaN));
    await untilOnlyEnding();
    const names = plan.functions.map((_, index) => ({ name: `bare-${round}-${index}` }));
    const bare = await wakeInTurns(plan, names, async ({ name }) => (await startBarePod(name, image)).calledHome);
    await removeBarePods(names.map(({ name }) => name));
    const functions = await wakeInTurns(plan, plan.functions, wakeFunction);
    await untilNone();
    const last = Object.entries({ bare, functions, Knative: knative }).flatMap(([name, turns]) =>
      turns.length === 0 ? [] : [`${name} ${Math.max(...turns.flatMap(({ each }) => each)).toFixed(0)}`],
    );
    report({ progress: `round ${round} of ${plan.rounds}: ${last.join(', ')}` });
    if (round > 0) report({ cold: { bare, functions, knative, knativeFailures } });
  }
}

/** So many at once, one turn after the other: what a turn woke is still there in the next, which wakes others. */
async function wakeInTurns<Target extends { readonly name: string }>(
  { together }: ColdPlan,
  targets: readonly Target[],
  wake: (target: Target) => Promise<number>,
): Promise<ColdTurn[]> {
  const turns: ColdTurn[] = [];
  for (let first = 0; first < targets.length; first += together) {
    const chosen = targets.slice(first, first + together);
    const quiet = await quietMoment();
    const names = new Set(chosen.map(({ name }) => name));
    await assertNone(({ metadata: { labels = {} } }) =>
      [FUNCTION_LABEL, KNATIVE_LABEL].some((label) => names.has(labels[label] ?? '')),
    );
    turns.push({ quiet, each: await Promise.all(chosen.map(wake)) });
  }
  return turns;
}

async function wakeFunction(target: Target): Promise<number> {
  const [milliseconds, { headers }] = await infer(target, target.name);
  if (headers['pilotlight-cold-start'] === undefined) throw new Error(`${target.name} was not at zero.`);
  return milliseconds;
}

async function wakeKnative(target: Target, answers: RivalAnswer): Promise<number> {
  if ('model' in answers) return (await infer(target, answers.model))[0];
  const [milliseconds, { body }] = await wake(target, '/');
  if (body.toString() !== answers.text) throw new Error(`${target.name} answered wrongly: ${body.toString()}`);
  return milliseconds;
}

async function infer(target: Target, model: string): Promise<[number, Answer]> {
  const [milliseconds, answer] = await wake(target, `/v2/models/${model}/infer`);
  const wrong = compareOutputs(JSON.parse(answer.body.toString()) as JsonAnswer, expected);
  if (wrong.length > 0) throw new Error(`${target.name} answered wrongly: ${wrong.join('; ')}`);
  return [milliseconds, answer];
}

async function wake({ name, host, port, headers }: Target, path: string): Promise<[number, Answer]> {
  const start = performance.now();
  const answer = await postOnce({ host, port, path, headers: { ...HEADERS, ...headers }, body: BODY });
  if (answer.status !== 200) throw new Error(`${name} answered ${answer.status}: ${answer.body.toString()}`);
  return [answer.endedAt - start, answer];
}

/** Once no pod is left, but those of Knative that are ending, which is something that they do for half a minute in idleness. */
async function untilOnlyEnding(): Promise<void> {
  const waiting = (pod: Pod): boolean => pod.metadata.deletionTimestamp === undefined || !isOfKnative(pod);
  await untilPods('only pods of Knative are left, and end', (pods) =>
    others([...pods.values()]).some(waiting) ? undefined : true,
  );
}

async function untilNone(): Promise<void> {
  await untilPods('no pod is left', (pods) => (others([...pods.values()]).length === 0 ? true : undefined));
}

function isOfKnative({ metadata }: Pod): boolean {
  return metadata.labels?.[KNATIVE_LABEL] !== undefined;
}
