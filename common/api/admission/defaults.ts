/** Fills in the defaults of a schema. Doing it again changes nothing. */
import type { Schema } from './definition.ts';
import { isRecord, setField } from './record.ts';

/** The value with every default below it. Null where null is not allowed counts as left out. */
export function withDefaults(schema: Schema, value: unknown): unknown {
  if (Array.isArray(value)) {
    const { items } = schema;
    return items === undefined ? value : value.map((item) => withDefaults(items, item));
  }
  if (!isRecord(value)) return value;
  const { properties, additionalProperties } = schema;
  if (properties === undefined && additionalProperties === undefined) return value;
  const result: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(value)) {
    const known = properties !== undefined && Object.hasOwn(properties, name) ? properties[name] : additionalProperties;
    if (field === null && known !== undefined && known.nullable !== true) continue;
    setField(result, name, known === undefined ? field : withDefaults(known, field));
  }
  for (const [name, known] of Object.entries(properties ?? {})) {
    if (known.default === undefined || Object.hasOwn(result, name)) continue;
    setField(result, name, withDefaults(known, known.default));
  }
  return result;
}
