/**
 * Holds a chart's values.yaml and values.schema.json together: each key is described once, in the former, and bounded once, in the latter. The latter
 * then gets the descriptions, which editors show.
 */
import { format } from 'prettier';
import type { DocumentedValue } from './documented-values.ts';

/** The part of JSON Schema that is read here; the rest is kept as it is. */
export interface ValuesSchema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly properties?: Readonly<Record<string, ValuesSchema>>;
  readonly definitions?: Readonly<Record<string, ValuesSchema>>;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
}

/** Keys of the schema that values.yaml has not: other charts set them. */
const OF_PARENT_CHARTS = ['global', 'enabled'];

/** The schema's text, each key with its description from values.yaml. Throws an Error that names a key that only one of them has. */
export function describedSchema(schema: ValuesSchema, values: readonly DocumentedValue[]): Promise<string> {
  const descriptions = new Map(values.map(({ path, description }) => [path, description]));
  const unused = new Set(descriptions.keys());
  const described = (at: ValuesSchema, path: string): ValuesSchema => {
    if (at.properties === undefined) return at;
    const properties = Object.entries(at.properties).map(([name, property]) => {
      const below = path === '' ? name : `${path}.${name}`;
      if (OF_PARENT_CHARTS.includes(below)) return [name, property];
      const description = descriptions.get(below);
      if (description === undefined) {
        // What is of a Kubernetes type is described as a whole.
        if (isDescribedAsWhole(path, values)) return [name, property];
        throw new Error(`values.schema.json has ${below}, which values.yaml does not describe.`);
      }
      unused.delete(below);
      return [name, { ...described(property, below), description }];
    });
    return { ...at, properties: Object.fromEntries(properties) as Record<string, ValuesSchema> };
  };
  const result = described(schema, '');
  const [stranger] = unused;
  if (stranger !== undefined)
    throw new Error(`values.yaml describes ${stranger}, which values.schema.json does not have.`);
  return format(JSON.stringify(result), { parser: 'json', printWidth: 120 });
}

/** True if it is described, and nothing in it by itself. */
export function isDescribedAsWhole(path: string, values: readonly DocumentedValue[]): boolean {
  return values.some((value) => value.path === path) && !values.some((value) => value.path.startsWith(`${path}.`));
}
