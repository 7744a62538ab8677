/** Finds what stands twice in a list that is a map by keys or a set. */
import type { FieldCause } from '../object.ts';
import type { Schema } from './definition.ts';
import { fieldOf, itemOf } from './field-path.ts';
import { isRecord } from './record.ts';

export function duplicateCauses(schema: Schema, value: unknown, path = ''): FieldCause[] {
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    const causes = items.flatMap((item, index) => duplicateCauses(schema.items ?? {}, item, itemOf(path, index)));
    const seen = new Set<string>();
    for (const [index, item] of items.entries()) {
      const identity = identityOf(schema, item);
      if (identity === undefined) continue;
      if (seen.has(identity)) causes.push({ field: itemOf(path, index), message: `Duplicate value: ${identity}` });
      seen.add(identity);
    }
    return causes;
  }
  if (!isRecord(value)) return [];
  return Object.entries(value).flatMap(([name, field]) => {
    const known = schema.properties?.[name] ?? schema.additionalProperties;
    return known === undefined ? [] : duplicateCauses(known, field, fieldOf(path, name));
  });
}

/** What no other item of the list may have; undefined where items may repeat. */
export function identityOf(schema: Schema, item: unknown): string | undefined {
  if (schema['x-kubernetes-list-type'] === 'set') return JSON.stringify(item);
  if (schema['x-kubernetes-list-type'] !== 'map' || !isRecord(item)) return undefined;
  const keys = schema['x-kubernetes-list-map-keys'] ?? [];
  return JSON.stringify(
    Object.fromEntries(keys.map((key) => [key, item[key] ?? schema.items?.properties?.[key]?.default])),
  );
}
