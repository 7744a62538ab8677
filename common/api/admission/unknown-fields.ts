/** Finds the fields that a schema does not have, and leaves them out. A typing error would otherwise silently mean the default. */
import { nearest } from '../../text/nearest.ts';
import type { FieldCause } from '../object.ts';
import type { Schema } from './definition.ts';
import { fieldOf, itemOf } from './field-path.ts';
import { isRecord, setField } from './record.ts';

/** The value without its unknown fields, each of which is added to `unknown`. */
export function prune(schema: Schema, value: unknown, path: string, unknown: FieldCause[]): unknown {
  if (schema.items !== undefined && Array.isArray(value)) {
    const { items } = schema;
    return value.map((item: unknown, index) => prune(items, item, itemOf(path, index), unknown));
  }
  if (!isRecord(value)) return value;
  const { properties, additionalProperties } = schema;
  if (properties === undefined && additionalProperties === undefined && !isStrictObject(schema)) return value;
  const kept: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(value)) {
    const known = properties !== undefined && Object.hasOwn(properties, name) ? properties[name] : additionalProperties;
    const at = fieldOf(path, name);
    if (known !== undefined) setField(kept, name, prune(known, field, at, unknown));
    else if (schema['x-kubernetes-preserve-unknown-fields'] === true) setField(kept, name, field);
    else unknown.push({ field: at, message: unknownFieldMessage(at, name, properties ?? {}) });
  }
  return kept;
}

function isStrictObject(schema: Schema): boolean {
  return schema.type === 'object' && schema['x-kubernetes-preserve-unknown-fields'] !== true;
}

function unknownFieldMessage(at: string, name: string, properties: Readonly<Record<string, Schema>>): string {
  const near = nearest(name, Object.keys(properties));
  if (near !== undefined) return `unknown field "${at}"; did you mean "${near}"?`;
  const names = Object.keys(properties).join(', ');
  return `unknown field "${at}"${names === '' ? '' : `; must be one of ${names}`}`;
}
