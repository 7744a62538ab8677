/** The picture of a simulation. Pure. */
import { ownerOf } from '../../operator/capacity/budget.ts';
import type { BudgetUse } from '../../operator/simulation/simulate.ts';
import type { FunctionResult, Moment } from '../../operator/simulation/simulated-function.ts';
import { plot, type Panel } from './plot.ts';

export interface DrawnFunction {
  readonly name: string;
  readonly result: FunctionResult;
  /** Of one pod. */
  readonly gpus: number;
}

export function draw(title: string, functions: readonly DrawnFunction[], budgets: readonly BudgetUse[]): string {
  const seconds = functions[0]?.result.moments.at(-1)?.at ?? 0;
  const panels = functions.flatMap(({ name, result }) => panelsOf(functions.length === 1 ? '' : `${name}: `, result));
  return plot(title, seconds, [...panels, cost(functions), ...budgets.map(use)]);
}

function panelsOf(prefix: string, { moments }: FunctionResult): Panel[] {
  const values = (of: (moment: Moment) => number): number[] => moments.map(of);
  return [
    {
      title: `${prefix}Replicas`,
      unit: 'pods',
      series: [
        {
          label: 'starting',
          colour: 'orange',
          kind: 'area',
          values: values(({ ready, starting }) => ready + starting),
        },
        { label: 'ready', colour: 'blue', kind: 'area', values: values(({ ready }) => ready) },
        { label: 'desired', colour: 'ink', kind: 'line', values: values(({ desired }) => desired) },
      ],
    },
    {
      title: `${prefix}Requests`,
      unit: 'at once',
      series: [
        { label: 'waiting', colour: 'red', kind: 'area', values: values(({ waiting }) => waiting) },
        { label: 'running', colour: 'blue', kind: 'line', values: values(({ running }) => running) },
      ],
    },
  ];
}

/** Of all functions together, which are looked at in the same seconds: GPU-seconds where any of them has GPUs. */
function cost(functions: readonly DrawnFunction[]): Panel {
  const haveGpus = functions.some(({ gpus }) => gpus > 0);
  const unit = haveGpus ? 'GPU-seconds' : 'pod-seconds';
  const costOf = ({ result, gpus }: DrawnFunction, second: number): number =>
    (result.moments[second]?.podSeconds ?? 0) * (haveGpus ? gpus : 1);
  const values = (functions[0]?.result.moments ?? []).map((_, second) =>
    functions.reduce((sum, one) => sum + costOf(one, second), 0),
  );
  return { title: 'Cost since the begin', unit, series: [{ label: unit, colour: 'blue', kind: 'line', values }] };
}

function use({ budget, held }: BudgetUse): Panel {
  const limit = { label: 'budget', colour: 'ink', kind: 'line', values: held.map(() => budget.limit) } as const;
  return {
    title: `${budget.resource} of ${ownerOf(budget)}`,
    unit: 'units',
    series: [{ label: 'held by pods', colour: 'blue', kind: 'area', values: held }, limit],
  };
}
