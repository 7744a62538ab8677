import { describe, expect, test } from '@jest/globals';
import { load } from 'js-yaml';
import { generateChartCrd } from './chart-crd.ts';
import { describedSchema, type ValuesSchema } from './chart-values.ts';
import { documentedValues } from './documented-values.ts';
import { generateValuesPage } from './values-page.ts';

const VALUES = `# A comment on the file.

# -- Where it comes from. A | in it
# is kept.
image:
  # -- Its tag.
  tag: ""

# -- Replicas.
replicas: 2
# -- Resources, as a whole.
resources:
  requests: { cpu: 1m }
`;

const SCHEMA: ValuesSchema = {
  type: 'object',
  properties: {
    global: { type: 'object' },
    image: { type: 'object', properties: { tag: { type: 'string', enum: ['', 'v1'] } } },
    replicas: { $ref: '#/definitions/count', description: 'An old word' },
    resources: { type: 'object', properties: { requests: { type: 'object' } } },
  },
  definitions: { count: { type: 'integer', minimum: 0, maximum: 9 } },
};

describe('values', () => {
  test('are described by what stands above them, wherever they are', () => {
    expect(documentedValues(VALUES)).toEqual([
      { path: 'image', description: 'Where it comes from. A | in it is kept.' },
      { path: 'image.tag', description: 'Its tag.' },
      { path: 'replicas', description: 'Replicas.' },
      { path: 'resources', description: 'Resources, as a whole.' },
    ]);
  });

  test('a description of nothing is an error, with its line', () => {
    expect(() => documentedValues('# -- What?\n\na: 1\n')).toThrow('Line 2 must be the key');
  });

  test('give the schema its descriptions, and nothing else changes', async () => {
    const schema = JSON.parse(await describedSchema(SCHEMA, documentedValues(VALUES))) as ValuesSchema;
    const { global, image, replicas, resources } = schema.properties ?? {};
    expect(image).toEqual({
      type: 'object',
      properties: { tag: { type: 'string', enum: ['', 'v1'], description: 'Its tag.' } },
      description: 'Where it comes from. A | in it is kept.',
    });
    expect(replicas).toEqual({ $ref: '#/definitions/count', description: 'Replicas.' });
    expect(resources?.properties).toEqual({ requests: { type: 'object' } });
    expect(global).toEqual({ type: 'object' });
    expect(schema.definitions).toEqual(SCHEMA.definitions);
  });

  test('that only one of the two has are an error', () => {
    const { properties, ...rest } = SCHEMA;
    const more = { ...rest, properties: { ...properties, image: { properties: { tag: {}, digest: {} } } } };
    expect(() => describedSchema(more, documentedValues(VALUES))).toThrow(
      'has image.digest, which values.yaml does not',
    );
    const fewer = { ...rest, properties: { image: {}, resources: {}, replicas: {} } };
    expect(() => describedSchema(fewer, documentedValues(VALUES))).toThrow('describes image.tag, which values.schema');
  });

  test('are a page with type, bounds and default', async () => {
    const page = await generateValuesPage(SCHEMA, documentedValues(VALUES), load(VALUES), 'Made of x.');
    const rows = page.split('\n').map((line) => line.replaceAll(/ +/g, ' '));
    expect(rows).toEqual(
      expect.arrayContaining([
        '<!-- Made of x. -->',
        '## image',
        'Where it comes from. A | in it is kept.',
        '| `image.tag` | one of `""`, `"v1"` | `""` | Its tag. |',
        '| `replicas` | integer, 0 to 9 | `2` | Replicas. |',
        '| `resources` | object | `{"requests":{"cpu":"1m"}}` | Resources, as a whole. |',
      ]),
    );
  });
});

describe('a definition as a template', () => {
  const CRD = `# How it is kept.
metadata:
  name: things.example.dev
  labels:
    a: b
spec:
  # Inside.
  group: example.dev
`;

  test('has the labels of the chart and the two switches, and the rest as it is', () => {
    expect(generateChartCrd(CRD, 'Made of x.')).toBe(`{{- /* Made of x. */}}
{{- if .Values.crds.enabled }}
metadata:
  name: things.example.dev
  labels:
    {{- include "pilotlight.labels" (dict "root" .) | nindent 4 }}
  {{- if .Values.crds.keep }}
  annotations:
    helm.sh/resource-policy: keep
  {{- end }}
spec:
  # Inside.
  group: example.dev
{{- end }}
`);
  });

  test('must not hold what Helm would read as its own, or metadata that would be lost', () => {
    expect(() => generateChartCrd(CRD.replace('example.dev\n', '{{x}}\n'), '')).toThrow('"{{"');
    expect(() => generateChartCrd(CRD.replace('labels', 'annotations'), '')).toThrow('must begin its metadata');
  });
});
