/**
 * The Common Expression Language as an API server speaks it: the language itself comes from a package, Kubernetes' quantities and lists are added
 * here. What no rule of ours uses (URLs, IP addresses, regular expressions' find) is left out, and a rule that uses it does not compile.
 * https://kubernetes.io/docs/reference/using-api/cel/#cel-community-libraries
 */
import { Environment, EvaluationError } from '@marcbachmann/cel-js';
import { parseQuantity } from '../quantity.ts';

class Quantity {
  readonly nano: bigint;

  constructor(nano: bigint) {
    this.nano = nano;
  }
}

type Comparable = bigint | number | string;

const environment = new Environment()
  .registerVariable('self', 'dyn')
  .registerVariable('oldSelf', 'dyn')
  .registerType('kubernetes.Quantity', Quantity)
  .registerFunction('isQuantity(string): bool', (text: string) => parseQuantity(text) !== undefined)
  .registerFunction('quantity(string): kubernetes.Quantity', (text: string) => {
    const nano = parseQuantity(text);
    if (nano === undefined) {
      const notation = '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$';
      throw new EvaluationError(`quantities must match the regular expression '${notation}'`);
    }
    return new Quantity(nano);
  })
  .registerFunction('kubernetes.Quantity.compareTo(kubernetes.Quantity): int', (a: Quantity, b: Quantity) =>
    BigInt(compare(a.nano, b.nano)),
  )
  .registerFunction(
    'kubernetes.Quantity.isLessThan(kubernetes.Quantity): bool',
    (a: Quantity, b: Quantity) => a.nano < b.nano,
  )
  .registerFunction(
    'kubernetes.Quantity.isGreaterThan(kubernetes.Quantity): bool',
    (a: Quantity, b: Quantity) => a.nano > b.nano,
  )
  .registerFunction('list.sum(): dyn', sum)
  .registerFunction('list.min(): dyn', (list: readonly Comparable[]) => extreme('min', list, -1))
  .registerFunction('list.max(): dyn', (list: readonly Comparable[]) => extreme('max', list, 1))
  .registerFunction('list.isSorted(): bool', (list: readonly Comparable[]) =>
    list.every((item, index) => index === 0 || compare(list[index - 1] ?? item, item) <= 0),
  );

/** Evaluates to whatever the expression gives; throws what the evaluation throws. */
export type Expression = (variables: { readonly self: unknown; readonly oldSelf?: unknown }) => unknown;

/** Throws if the text is not an expression, or calls a function that is not there. */
export function compileExpression(text: string): Expression {
  const expression = environment.parse(text);
  const { valid, error } = expression.check();
  if (!valid) throw new Error(`The rule ${JSON.stringify(text)} does not compile: ${error?.message ?? ''}`);
  return (variables) => expression(variables) as unknown;
}

/** What went wrong in an evaluation, without the excerpt of the expression that the package's message ends in. */
export function evaluationProblem(error: unknown): string {
  if (!(error instanceof EvaluationError)) throw error;
  return error.summary.charAt(0).toLowerCase() + error.summary.slice(1);
}

function sum(list: readonly (bigint | number)[]): bigint | number {
  const [first = 0n] = list;
  return typeof first === 'bigint'
    ? list.reduce<bigint>((total, item) => total + BigInt(item), 0n)
    : list.reduce<number>((total, item) => total + Number(item), 0);
}

function extreme(name: string, list: readonly Comparable[], direction: 1 | -1): Comparable {
  const [first, ...rest] = list;
  if (first === undefined) throw new EvaluationError(`${name} called on empty list`);
  return rest.reduce((best, item) => (compare(item, best) === direction ? item : best), first);
}

function compare(a: Comparable, b: Comparable): -1 | 0 | 1 {
  return a < b ? -1 : a > b ? 1 : 0;
}
