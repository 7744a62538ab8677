/**
 * Requests on a fixed schedule, whether or not earlier ones were answered, each counted from the moment at which it should have been sent: what waits
 * because something stood still counts with all of its wait.
 */
import { Agent } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import expected from '../../../../examples/digits/expected.json' with { type: 'json' };
import question from '../../../../examples/digits/request.json' with { type: 'json' };
import { compareOutputs, type JsonAnswer } from '../../../../examples/compare-outputs.ts';
import { followPods, untilGone } from '../../in-cluster/inside/pods.ts';
import { postOnce } from '../../in-cluster/inside/post-once.ts';
import { quietMoment } from '../../in-cluster/inside/quiet-moment.ts';
import { quantile } from '../../runtime/measurement.ts';
import { report } from './report.ts';
import { momentsOf, type Stage } from './schedule.ts';

export interface LoadTarget {
  readonly function: string;
  readonly host: string;
  readonly port: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Blanks that the body is longer by. */
  readonly padding?: number;
  /** Milliseconds that its model itself may take. */
  readonly modelMilliseconds?: number;
}

export interface LoadRun {
  readonly name: string;
  readonly stages: readonly Stage[];
  readonly targets: readonly LoadTarget[];
  /** Indices of targets, for one request after the other, from the begin again at the end; without it all take turns. */
  readonly order?: readonly number[];
  /** Functions that have no pod when it begins. */
  readonly fromZero?: readonly string[];
}

export interface LoadPlan {
  readonly runs: readonly LoadRun[];
}

export interface LoadResult {
  readonly name: string;
  readonly planned: number;
  readonly sent: number;
  /** By what went wrong. */
  readonly errors: Readonly<Record<string, number>>;
  /** The first answer that came with 200 and was not right. */
  readonly wrong: string | undefined;
  /** Right answers, by revision. */
  readonly revisions: Readonly<Record<string, number>>;
  /** Right answers that waited for a pod. */
  readonly coldStarts: number;
  /** Milliseconds of right answers, beyond what their models themselves may take. */
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** A request that is this late is not sent: this process, not what it asks, could not follow. */
const LATE_MILLISECONDS = 1000;
const MOST_OPEN = 5000;
const PATH = 'v2/models';
const HEADERS = { 'content-type': 'application/json' };
const BODY = JSON.stringify(question);

export async function measureLoad({ runs }: LoadPlan): Promise<void> {
  await followPods();
  for (const run of runs) {
    await Promise.all((run.fromZero ?? []).map(untilGone));
    await quietMoment();
    report({ begins: run.name });
    report({ load: await runLoad(run) });
  }
}

async function runLoad({ name, stages, targets, order }: LoadRun): Promise<LoadResult> {
  const agent = new Agent({ keepAlive: true, maxSockets: Infinity, maxFreeSockets: MOST_OPEN, scheduling: 'lifo' });
  const moments = momentsOf(stages);
  const count = new Count();
  const open = new Set<Promise<void>>();
  const begun = performance.now();
  for (const [index, moment] of moments.entries()) {
    const due = begun + moment;
    const early = due - performance.now();
    if (early > 0) await pause(early);
    if (open.size >= MOST_OPEN || performance.now() - due > LATE_MILLISECONDS) continue;
    const target = targets[order === undefined ? index % targets.length : (order[index % order.length] ?? 0)];
    if (target === undefined) throw new Error(`${name} has no target ${index}.`);
    count.sent += 1;
    const asked: Promise<void> = ask(target, agent, due, count).finally(() => open.delete(asked));
    open.add(asked);
  }
  await Promise.all(open);
  agent.destroy();
  return { name, planned: moments.length, ...count.result() };
}

async function ask(target: LoadTarget, agent: Agent, due: number, count: Count): Promise<void> {
  const { host, port, function: model, padding = 0, modelMilliseconds = 0 } = target;
  const path = `/${PATH}/${model}/infer`;
  const headers = { ...HEADERS, ...target.headers };
  try {
    const answer = await postOnce({ host, port, path, headers, body: BODY + ' '.repeat(padding), agent });
    if (answer.status !== 200) return count.error(`status ${answer.status}: ${answer.body.toString().slice(0, 200)}`);
    const [wrong] = compareOutputs(JSON.parse(answer.body.toString()) as JsonAnswer, expected);
    if (wrong !== undefined) return count.wrong(wrong);
    count.right(answer.endedAt - due - modelMilliseconds, answer.headers);
  } catch (error) {
    count.error(error instanceof Error ? error.message : String(error));
  }
}

class Count {
  sent = 0;
  readonly #latencies: number[] = [];
  readonly #errors: Record<string, number> = {};
  readonly #revisions: Record<string, number> = {};
  #coldStarts = 0;
  #wrong: string | undefined;

  wrong(what: string): void {
    this.#wrong ??= what;
    this.error('wrong answer');
  }

  error(what: string): void {
    this.#errors[what] = (this.#errors[what] ?? 0) + 1;
  }

  right(milliseconds: number, headers: Readonly<Record<string, unknown>>): void {
    this.#latencies.push(milliseconds);
    const revision = String(headers['pilotlight-revision']);
    this.#revisions[revision] = (this.#revisions[revision] ?? 0) + 1;
    if (headers['pilotlight-cold-start'] !== undefined) this.#coldStarts += 1;
  }

  result(): Omit<LoadResult, 'name' | 'planned'> {
    const sorted = Float64Array.from(this.#latencies).sort();
    return {
      sent: this.sent,
      errors: this.#errors,
      wrong: this.#wrong,
      revisions: this.#revisions,
      coldStarts: this.#coldStarts,
      p50: quantile(sorted, 0.5),
      p95: quantile(sorted, 0.95),
      p99: quantile(sorted, 0.99),
      max: sorted.at(-1) ?? Number.NaN,
    };
  }
}
