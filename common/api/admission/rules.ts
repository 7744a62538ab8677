/** Tries the rules of a schema on an object, in an API server's order of things: outer rules first, rules on `oldSelf` only at an update. */
import type { FieldCause } from '../object.ts';
import type { Rule, Schema } from './definition.ts';
import { expressionValue } from './expression-value.ts';
import { type Expression, compileExpression, evaluationProblem } from './expressions.ts';
import { entryOf, fieldOf, itemOf } from './field-path.ts';
import { identityOf } from './list-types.ts';
import { isRecord } from './record.ts';

interface CompiledRule extends Rule {
  readonly evaluate: Expression;
  readonly explain: Expression | undefined;
  /** Compares with the value before the update. */
  readonly transition: boolean;
}

/** A value in its old and new form; `old` is undefined where there was none or nobody can tell which one it was. */
interface Place {
  readonly schema: Schema;
  readonly path: string;
  readonly value: unknown;
  readonly old: unknown;
}

const compiled = new WeakMap<Schema, readonly CompiledRule[]>();

export function ruleCauses(schema: Schema, object: unknown, oldObject: unknown): FieldCause[] {
  return causesAt({ schema, path: '', value: object, old: oldObject });
}

function causesAt(place: Place): FieldCause[] {
  return [...ownCauses(place), ...placesBelow(place).flatMap(causesAt)];
}

function ownCauses({ schema, path, value, old }: Place): FieldCause[] {
  const rules = rulesOf(schema);
  if (rules.length === 0 || value === undefined || value === null) return [];
  const variables = { self: expressionValue(schema, value), oldSelf: expressionValue(schema, old) };
  return rules.flatMap((rule) => {
    if (rule.transition && old === undefined) return [];
    const problem = problemOf(rule, variables);
    if (problem === undefined) return [];
    const field = rule.fieldPath === undefined ? path : fieldOf(path, rule.fieldPath.slice(1));
    return [{ field, message: causeMessage(rule.reason, schema.type ?? '', problem) }];
  });
}

function rulesOf(schema: Schema): readonly CompiledRule[] {
  const known = compiled.get(schema);
  if (known !== undefined) return known;
  const rules = (schema['x-kubernetes-validations'] ?? []).map((rule) => ({
    ...rule,
    evaluate: compileExpression(rule.rule),
    explain: rule.messageExpression === undefined ? undefined : compileExpression(rule.messageExpression),
    transition: /\boldSelf\b/.test(rule.rule),
  }));
  compiled.set(schema, rules);
  return rules;
}

/** What must hold and does not; undefined if all is well. */
function problemOf(rule: CompiledRule, variables: Parameters<Expression>[0]): string | undefined {
  const message = rule.message ?? `failed rule: ${rule.rule}`;
  try {
    if (rule.evaluate(variables) === true) return undefined;
  } catch (error) {
    return `${evaluationProblem(error)} evaluating rule: ${message}`;
  }
  try {
    const explained = rule.explain?.(variables);
    return typeof explained === 'string' && explained.trim() !== '' ? explained : message;
  } catch (error) {
    evaluationProblem(error);
    return message;
  }
}

function causeMessage(reason: string | undefined, type: string, problem: string): string {
  switch (reason) {
    case 'FieldValueForbidden':
      return `Forbidden: ${problem}`;
    case 'FieldValueRequired':
      return `Required value: ${problem}`;
    case 'FieldValueDuplicate':
      return `Duplicate value: "${type}"`;
    default:
      return `Invalid value: "${type}": ${problem}`;
  }
}

function placesBelow({ schema, path, value, old }: Place): Place[] {
  const { items, properties, additionalProperties } = schema;
  if (Array.isArray(value)) {
    if (items === undefined) return [];
    const oldItems: readonly unknown[] = Array.isArray(old) ? old : [];
    return value.map((item: unknown, index) => {
      const identity = identityOf(schema, item);
      // An item of an atomic list has no identity: nobody can say which old item it was.
      const oldItem =
        identity === undefined ? undefined : oldItems.find((other) => identityOf(schema, other) === identity);
      return { schema: items, path: itemOf(path, index), value: item, old: oldItem };
    });
  }
  if (!isRecord(value)) return [];
  return Object.entries(value).flatMap(([name, field]) => {
    const property = properties !== undefined && Object.hasOwn(properties, name) ? properties[name] : undefined;
    const known = property ?? additionalProperties;
    if (known === undefined) return [];
    const at = property === undefined ? entryOf(path, name) : fieldOf(path, name);
    return [
      { schema: known, path: at, value: field, old: isRecord(old) && Object.hasOwn(old, name) ? old[name] : undefined },
    ];
  });
}
