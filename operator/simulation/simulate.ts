/**
 * Walks traces of requests through the real autoscaler, in virtual time: the decisions are made by `decide` on the windows of the real demand ledger, what
 * budgets have room for is decided by the real `Capacity`, and pods are chosen by `planPods`. Simulated are the gateway, the pods and the clock alone. Pure.
 */
import { createLogger } from '../../common/platform/logging.ts';
import { createAutoscaler } from '../autoscaler/autoscaler.ts';
import { decide as decideReally, type Decide } from '../autoscaler/decide.ts';
import { activityOf } from '../capacity/activity.ts';
import type { Budget } from '../capacity/budget.ts';
import { Capacity } from '../capacity/capacity.ts';
import { DemandLedger } from '../gateways/demand-ledger.ts';
import { EventClock } from './event-clock.ts';
import { SimulatedFunction, type FunctionInput, type FunctionResult } from './simulated-function.ts';

export interface SimulationInput {
  readonly functions: readonly FunctionInput[];
  /** What their pods may have at once of extended resources. */
  readonly budgets?: readonly Budget[];
  /** How long to go on after the last arrival, at most; it ends sooner when everything is at rest. */
  readonly restSeconds?: number;
  /** Another way to decide, to compare with. */
  readonly decide?: Decide;
}

export interface BudgetUse {
  readonly budget: Budget;
  /** Units that pods held, each second. */
  readonly held: readonly number[];
}

export interface SimulationResult {
  /** In the order of the input. */
  readonly functions: readonly FunctionResult[];
  readonly budgets: readonly BudgetUse[];
}

/** Throws only if `decide` does. */
export function simulate({ functions: inputs, budgets = [], ...input }: SimulationInput): SimulationResult {
  const { restSeconds = Math.max(...inputs.map(longestRest)), decide = decideReally } = input;
  const clock = new EventClock();
  const ledger = new DemandLedger(0);
  const functions = new Map<string, SimulatedFunction>();
  const autoscaler = createAutoscaler({
    clock,
    ledger,
    scalable: (key) => functions.get(key)?.scalable(),
    onDecision: (key, decision) => functions.get(key)?.decided(decision),
    logger: createLogger('simulation', 'silent'),
    decide,
  });
  const capacity = new Capacity({
    budgets,
    clock,
    activityOf: (key) => activityOf(ledger.demandOf(key), autoscaler.decision(key)),
    onChange: (key) => functions.get(key)?.reconcileSoon(),
  });
  for (const [index, one] of inputs.entries()) {
    const gateway = `gateway-${index}`;
    const fn = new SimulatedFunction(one, {
      clock,
      autoscaler,
      capacity,
      report: (record) => {
        ledger.record(gateway, record, clock.monotonic() / 1000);
      },
    });
    functions.set(fn.key, fn);
  }
  const uses = budgets.map((budget) => ({ budget, held: [] as number[] }));
  const lastArrival = Math.max(0, ...inputs.map(({ arrivals }) => arrivals.at(-1)?.at ?? 0));
  let end = (lastArrival + restSeconds) * 1000;
  const look = (): void => {
    for (const fn of functions.values()) fn.look();
    for (const [index, { held }] of capacity.state().entries()) uses[index]?.held.push(held);
    const now = clock.monotonic();
    if (now > (lastArrival + 2) * 1000 && [...functions.values()].every(({ isAtRest }) => isAtRest)) end = now;
    clock.after(1000, look);
  };
  for (const key of functions.keys()) autoscaler.poke(key);
  look();

  while (clock.step(end));
  autoscaler.close();
  return { functions: Array.from(functions.values(), ({ result }) => result), budgets: uses };
}

/** What waits is served or given up within the timeouts, and pods go after the windows. */
function longestRest({ spec, startSeconds }: FunctionInput): number {
  const { scaling, queue, timeoutSeconds } = spec;
  const { stableWindowSeconds, scaleToZeroRetentionSeconds, scaleDownDelaySeconds, startTimeoutSeconds } = scaling;
  const windows = 4 * stableWindowSeconds + scaleToZeroRetentionSeconds + scaleDownDelaySeconds;
  return windows + startTimeoutSeconds + queue.timeoutSeconds + timeoutSeconds + startSeconds;
}
