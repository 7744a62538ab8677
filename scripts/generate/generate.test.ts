import { expect, test } from '@jest/globals';
import type { Definition } from '../../common/api/admission/definition.ts';
import { generateDefinitionModule } from './definition-module.ts';
import { generateReference } from './reference.ts';
import { generateTypes } from './types.ts';

const DEFINITION: Definition = {
  spec: {
    group: 'example.dev',
    scope: 'Namespaced',
    names: { kind: 'RedThing', plural: 'redthings' },
    versions: [
      {
        name: 'v1',
        subresources: { status: {} },
        schema: {
          openAPIV3Schema: {
            type: 'object',
            description: 'RedThing is red.',
            required: ['spec'],
            properties: {
              spec: {
                type: 'object',
                description: 'spec is wanted.',
                required: ['names'],
                properties: {
                  size: { type: 'integer', description: 'size of it.', default: 1, minimum: 0, maximum: 9 },
                  names: {
                    type: 'array',
                    description: 'names of it.',
                    maxItems: 2,
                    items: {
                      type: 'string',
                      maxLength: 3,
                      'x-kubernetes-validations': [{ rule: `self != '|'`, message: 'must not be |' }],
                    },
                  },
                  amounts: {
                    type: 'object',
                    description: 'amounts of it.',
                    maxProperties: 4,
                    additionalProperties: { 'x-kubernetes-int-or-string': true },
                  },
                  description: { type: 'string', description: 'description of it.', enum: ['Long', 'Short'] },
                  parts: {
                    type: 'array',
                    description: 'parts of it.',
                    maxItems: 4,
                    items: {
                      type: 'object',
                      required: ['end'],
                      'x-kubernetes-validations': [
                        { rule: 'true', fieldPath: '.end', message: 'must be after `start`' },
                      ],
                      properties: { end: { type: 'string', description: 'end of it.', maxLength: 8 } },
                    },
                  },
                },
              },
            },
          },
        },
      },
    ],
  },
};

test('types know what has a default once it is stored, and let it out in a manifest', async () => {
  const withoutComments = (await generateTypes(DEFINITION)).replaceAll(/ *\/\*\*[^]*?\*\/\n/g, '');
  const spec = (size: string): string =>
    `    readonly size${size}: number;
    readonly names: readonly string[];
    readonly amounts?: {
      readonly [k: string]: number | string;
    };
    readonly description?: 'Long' | 'Short';
    readonly parts?: readonly {
      readonly end: string;
    }[];
`;
  const kind = (name: string, size: string): string => `export interface ${name} {
  readonly apiVersion: 'example.dev/v1';
  readonly kind: 'RedThing';
  readonly metadata: ObjectMeta;
  readonly spec: {
${spec(size)}  };
}
`;
  expect(withoutComments).toBe(
    `import type { ObjectMeta } from '../object.ts';\n\n${kind('RedThing', '')}\n${kind('RedThingManifest', '?')}`,
  );
});

test('the module leaves descriptions out, but not a field of that name', async () => {
  const module = await generateDefinitionModule(DEFINITION);
  expect(module).toContain('export const RED_THING_DEFINITION: Definition = {');
  expect(module).toContain(`description: { type: 'string', enum: ['Long', 'Short'] }`);
  expect(module).not.toMatch(/description: '/);
});

test('the reference has a table for each object, with bounds, defaults and rules of its fields', () => {
  const page = generateReference(DEFINITION, 'Generated.', 'kind: RedThing');
  expect(page).toContain('```yaml\nkind: RedThing\n```');
  expect(page.split('\n').filter((line) => /^(?:#|- `|\| `)/.test(line))).toEqual([
    '# RedThing',
    '## spec',
    '| `size` | integer | `1` | 0 to 9 | size of it. |',
    '| `names` | list of string | **required** | at most 2 items; at most 3 characters | names of it. Each must not be \\|. |',
    '| `amounts` | map of quantity |  | at most 4 entries | amounts of it. |',
    '| `description` | enum |  | `Long`, `Short` | description of it. |',
    '| `parts` | list of [object](#specparts) |  | at most 4 items | parts of it. |',
    '### spec.parts[]',
    '- `spec.parts[].end` must be after `start`',
    '| `end` | string | **required** | at most 8 characters | end of it. |',
    '## status',
    '## kubectl get',
  ]);
});
