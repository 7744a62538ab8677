/** What the parts of the benchmark share: the models, the programs that run, what is printed, and the goals with what was reached. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatTable } from '../table.ts';
import { makeModels, type BenchModel, type ModelName } from './models.ts';
import { SERVER_CORE, type MeasuredProcess } from '../../server/measured-process.ts';
import type { Workplace } from '../../server/start-runtime.ts';

export interface Goal {
  readonly what: string;
  readonly reached: number;
  readonly atMost?: number;
  readonly atLeast?: number;
  /** The same figure of a server that does nothing else: bare, and with the model in a thread where the library stands beside it. */
  readonly plain?: number;
}

export class Bench implements Workplace {
  readonly directory: string;
  readonly core = SERVER_CORE;
  readonly models: Readonly<Record<ModelName, BenchModel>>;
  readonly #processes = new Set<MeasuredProcess>();
  readonly #goals: Goal[] = [];
  #busiestClient = 0;

  constructor() {
    this.directory = mkdtempSync(join(tmpdir(), 'pilotlight-bench-'));
    this.models = makeModels(this.directory);
  }

  own(process: MeasuredProcess): void {
    this.#processes.add(process);
  }

  progress(text: string): void {
    process.stderr.write(`  ${text}\n`);
  }

  table(title: string, head: readonly string[], rows: readonly (readonly string[])[]): void {
    process.stdout.write(`\n${title}\n\n${formatTable(head, rows)}\n`);
  }

  say(text: string): void {
    process.stdout.write(`\n${text}\n`);
  }

  goal(goal: Goal): void {
    this.#goals.push(goal);
  }

  /** The share of its core that the client used in a measurement. */
  clientUsed(share: number): void {
    this.#busiestClient = Math.max(this.#busiestClient, share);
  }

  reportGoals(): void {
    if (this.#goals.length === 0) return;
    const figure = (value: number): string => value.toFixed(value < 10 ? 2 : 0);
    const rows = this.#goals.map(({ what, reached, atMost, atLeast, plain }) => {
      const met = (atMost === undefined || reached <= atMost) && (atLeast === undefined || reached >= atLeast);
      const goal = atMost === undefined ? `at least ${atLeast}` : `at most ${atMost}`;
      return [what, figure(reached), goal, met ? 'met' : 'MISSED', plain === undefined ? '' : figure(plain)];
    });
    this.table('Goals', ['goal', 'reached', 'wanted', '', 'a plain server'], rows);
    this.say(`In closed loops the client used at most ${(100 * this.#busiestClient).toFixed(0)} % of its core.`);
  }

  /** Ends the programs of a part. */
  async endAll(): Promise<void> {
    await Promise.all([...this.#processes].map((one) => one.end()));
    this.#processes.clear();
  }

  async close(): Promise<void> {
    await this.endAll();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Calls once to warm up, and then as often as there are rounds. */
export async function inRounds(rounds: number, measure: (counted: boolean) => Promise<void>): Promise<void> {
  for (let round = 0; round <= rounds; round++) await measure(round > 0);
}
