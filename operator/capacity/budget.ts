/** How much of a resource the functions' pods may have at once, and how much of it one pod needs. */
import { parseQuantity } from '../../common/api/quantity.ts';

export interface Budget {
  /** An extended resource, such as `nvidia.com/gpu`. */
  readonly resource: string;
  /** Whose pods it bounds; undefined: those of all namespaces together. */
  readonly namespace: string | undefined;
  /** In whole units of the resource. */
  readonly limit: number;
}

/** By resource; without those that the pod has none of. */
export type Needs = Readonly<Record<string, number>>;

const MOST_BUDGETS = 1000;
const MOST_UNITS = 1_000_000;
const LABEL = '[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?';
/** `nvidia.com/gpu=8`, or `research:nvidia.com/gpu=2`. */
const BUDGET = new RegExp(
  `^(?:(?<namespace>${LABEL}):)?(?<resource>${LABEL}(?:\\.${LABEL})*/[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)=(?<limit>\\d{1,7})$`,
);

/** @throws Error that says which part is wrong and what was expected */
export function parseBudgets(variable: string, given = ''): readonly Budget[] {
  if (given.trim() === '') return [];
  const budgets = given.split(',').map((text) => parseBudget(variable, text.trim()));
  if (budgets.length > MOST_BUDGETS)
    throw new Error(`${variable} has ${budgets.length} limits; at most ${MOST_BUDGETS}.`);
  const seen = new Set<string>();
  for (const budget of budgets) {
    const what = `${budget.resource} of ${ownerOf(budget)}`;
    if (seen.has(what)) throw new Error(`${variable} has two limits for ${what} but must have one.`);
    seen.add(what);
  }
  return budgets;
}

function parseBudget(variable: string, text: string): Budget {
  const { namespace, resource, limit } = BUDGET.exec(text)?.groups ?? {};
  if (resource !== undefined && Number(limit) <= MOST_UNITS) return { resource, namespace, limit: Number(limit) };
  throw new Error(
    `${variable} has ${JSON.stringify(text)} but must be limits as nvidia.com/gpu=8 or, for one namespace, research:nvidia.com/gpu=2, ` +
      `each from 0 to ${MOST_UNITS}, separated by commas.`,
  );
}

/** For people. */
export function ownerOf({ namespace }: Budget): string {
  return namespace === undefined ? 'the cluster' : `the namespace ${namespace}`;
}

export function bounds(budget: Budget, namespace: string, needs: Needs): boolean {
  return budget.resource in needs && (budget.namespace ?? namespace) === namespace;
}

/** What the limits of a pod's containers come to, of the resources that are bounded. Kubernetes takes whole units of them only. */
export function needsOf(
  budgets: readonly Budget[],
  namespace: string,
  limits: readonly (Readonly<Record<string, number | string>> | undefined)[],
): Needs {
  const needs: Record<string, number> = {};
  for (const budget of budgets) {
    if ((budget.namespace ?? namespace) !== namespace) continue;
    const units = limits.reduce((sum, each) => sum + unitsOf(each?.[budget.resource]), 0);
    if (units > 0) needs[budget.resource] = units;
  }
  return needs;
}

function unitsOf(quantity: number | string | undefined): number {
  return quantity === undefined ? 0 : Math.ceil(Number(parseQuantity(String(quantity)) ?? 0) / 1e9);
}
