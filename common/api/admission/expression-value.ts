/** JSON as values of the expression language, where an integer and a double are different things and only the schema tells which is meant. */
import type { Schema } from './definition.ts';
import { isRecord } from './record.ts';

export function expressionValue(schema: Schema | undefined, value: unknown): unknown {
  if (typeof value === 'number') return schema?.type !== 'number' && Number.isInteger(value) ? BigInt(value) : value;
  if (typeof value === 'string' && schema?.format === 'date-time') return new Date(value);
  if (Array.isArray(value)) return Array.from(value, (item) => expressionValue(schema?.items, item));
  if (!isRecord(value)) return value;
  const result = Object.create(null) as Record<string, unknown>;
  for (const [name, field] of Object.entries(value)) {
    result[name] = expressionValue(schema?.properties?.[name] ?? schema?.additionalProperties, field);
  }
  return result;
}
