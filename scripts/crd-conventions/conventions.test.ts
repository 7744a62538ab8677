import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { load } from 'js-yaml';
import { type Definition, type Schema, schemaOf } from '../../common/api/admission/definition.ts';
import { CONVENTIONS, type ConventionName } from './conventions.ts';
import { fieldsOf } from './field.ts';

const FOLDER = join(import.meta.dirname, '../../crds');
const FILES = readdirSync(FOLDER).filter((file) => file.endsWith('.yaml'));

function definition(file: string): Definition {
  return load(readFileSync(join(FOLDER, file), 'utf8')) as Definition;
}

function problems(schema: Schema): string[] {
  return fieldsOf(schema).flatMap((field) =>
    Object.entries(CONVENTIONS).flatMap(([name, convention]) => {
      const problem = convention(field);
      return problem === undefined ? [] : [`${field.path} ${problem} (${name})`];
    }),
  );
}

describe.each(FILES)('%s', (file) => {
  test('follows the conventions', () => {
    expect(problems(schemaOf(definition(file)))).toEqual([]);
  });

  test('can be found, and shows whether it is ready and why not', () => {
    const { spec } = definition(file) as unknown as {
      readonly spec: {
        readonly group: string;
        readonly names: { plural: string; kind: string; singular: string; shortNames: string[]; categories: string[] };
        readonly versions: {
          subresources: object;
          additionalPrinterColumns: { name: string; description?: string }[];
        }[];
      };
    };
    expect(file).toBe(`${spec.group}_${spec.names.plural}.yaml`);
    expect(spec.names.singular).toBe(spec.names.kind.toLowerCase());
    expect(spec.names.categories).toEqual(['pilotlight']);
    expect(spec.names.shortNames).toHaveLength(1);
    expect(schemaOf(definition(file)).description).toMatch(new RegExp(`^${spec.names.kind} `));
    const [version] = spec.versions;
    expect(version?.subresources).toHaveProperty('status');
    const columns = version?.additionalPrinterColumns ?? [];
    expect(columns.map(({ name }) => name)).toEqual(expect.arrayContaining(['Ready', 'Reason', 'Replicas', 'Age']));
    expect(columns.filter(({ name, description }) => name !== 'Age' && description === undefined)).toEqual([]);
  });
});

describe('a ModelRevision', () => {
  const specOf = (file: string): Readonly<Record<string, Schema>> =>
    schemaOf(definition(file)).properties?.['spec']?.properties ?? {};
  const own = specOf('pilotlight.dev_modelfunctions.yaml');
  const { template, resolved } = specOf('pilotlight.dev_modelrevisions.yaml');

  test('has a template that is the function’s part, word for word', () => {
    const names = Object.keys(template?.properties ?? {});
    expect(names).toEqual(['model', 'runtime', 'batching', 'resources', 'pod']);
    expect(template?.properties).toEqual(Object.fromEntries(names.map((name) => [name, own[name]])));
  });

  test('resolves each part of the template, with the same fields and rules', () => {
    const shape = ({ properties = {} }: Schema): unknown =>
      Object.entries(properties).map(([name, part]) => [name, part.properties, part['x-kubernetes-validations']]);
    expect(shape(resolved ?? {})).toEqual(shape(template ?? {}));
  });
});

/** A schema that breaks the convention, and where. */
const BAD: Record<ConventionName, { readonly yaml: string; readonly path: string }> = {
  isDescribed: { yaml: 'spec: { description: spec, properties: { a: { description: The a. } } }', path: 'spec.a' },
  isNamedPlainly: { yaml: 'status: { properties: { b_c: {} } }', path: 'status.b_c' },
  boundsStrings: { yaml: 'spec: { properties: { model: { type: string } } }', path: 'spec.model' },
  boundsIntegers: {
    yaml: 'spec: { properties: { model: { type: integer, format: int32, minimum: 1 } } }',
    path: 'spec.model',
  },
  formatsIntegers: {
    yaml: 'spec: { properties: { model: { type: integer, format: int32, minimum: 1, maximum: 2147483648 } } }',
    path: 'spec.model',
  },
  boundsLists: {
    yaml: 'spec: { properties: { model: { type: array, x-kubernetes-list-type: atomic } } }',
    path: 'spec.model',
  },
  boundsMaps: { yaml: 'spec: { properties: { model: { additionalProperties: {} } } }', path: 'spec.model' },
  typesLists: {
    yaml: 'spec: { properties: { model: { type: array, maxItems: 1, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [a], items: {} } } }',
    path: 'spec.model',
  },
  hasNoFloats: { yaml: 'spec: { properties: { model: { type: number } } }', path: 'spec.model' },
  hasNoBooleans: { yaml: 'spec: { properties: { model: { type: boolean } } }', path: 'spec.model' },
  spellsChoices: { yaml: 'spec: { properties: { model: { type: string, enum: [fast] } } }', path: 'spec.model' },
  countsTime: {
    yaml: 'spec: { properties: { model: { properties: { aTimeout: {} } } } }',
    path: 'spec.model.aTimeout',
  },
  hasNoPhase: { yaml: 'status: { properties: { phase: {} } }', path: 'status.phase' },
  defaultsOnlyOptional: { yaml: 'spec: { required: [a], properties: { a: { default: {} } } }', path: 'spec.a' },
  defaultsFunction: { yaml: 'spec: { properties: { a: {} } }', path: 'spec.a' },
  leavesRevisionAlone: { yaml: 'spec: { properties: { model: { default: {} } } }', path: 'spec.model' },
  explainsRules: { yaml: 'spec: { x-kubernetes-validations: [{ rule: "true", message: bad }] }', path: 'spec' },
  startsWithConditions: { yaml: 'status: { properties: { a: {}, conditions: {} } }', path: 'status' },
  completesConditions: {
    yaml: 'status: { properties: { conditions: { items: { required: [type, status, reason, message] } } } }',
    path: 'status.conditions[]',
  },
};

test.each(Object.entries(BAD))('%s is broken by a bad schema', (name, { yaml, path }) => {
  const schema: Schema = { description: 'Kind', properties: load(yaml) as Record<string, Schema> };
  const broken = fieldsOf(schema).filter((field) => CONVENTIONS[name as ConventionName](field) !== undefined);
  expect(broken.map((field) => field.path)).toContain(path);
});
