/** What a part of the benchmark is given, and gives. */
import type { Workplace } from '../in-cluster/workplace.ts';
import type { Knative } from './knative.ts';
import type { ColdPlan } from './inside/cold.ts';
import type { LoadPlan } from './inside/load.ts';
import type { Report } from './inside/report.ts';
import type { WarmPlan } from './inside/warm.ts';

export interface Bench {
  readonly workplace: Workplace;
  /** Undefined: it is not installed, and there are no figures beside ours. */
  readonly knative: Knative | undefined;
  /** The program that measures in the cluster. */
  readonly script: string;
}

export interface Part {
  /** How often by default. */
  readonly count: number;
  /** Gives the lines to print. Rejects if it measured nothing, or an answer was wrong. */
  readonly measure: (bench: Bench, count: number) => Promise<string[]>;
}

/** Runs a plan in the cluster, and hands on what it says, but for its progress. */
export function runPlan(
  { workplace, script }: Bench,
  name: string,
  plan: WarmPlan | ColdPlan | LoadPlan,
  onReport: (report: Report) => void,
): Promise<void> {
  return workplace.run(script, [name, workplace.image, JSON.stringify(plan)], (line) => {
    const report = JSON.parse(line) as Report;
    if ('progress' in report) process.stderr.write(`${name}: ${report.progress}\n`);
    else onReport(report);
  });
}
