import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { formatFinding, validateManifests } from './validate-manifests.ts';

function check(...lines: string[]): string[] {
  return validateManifests([{ path: 'a.yaml', text: lines.join('\n') }]).map(formatFinding);
}

const HEAD = ['apiVersion: pilotlight.dev/v1alpha1', 'kind: ModelFunction', 'metadata: { name: digits }'];
const MODEL = ['spec:', '  model: { uri: s3://models/a.onnx }'];

test('a good manifest has no finding', () => {
  expect(check(...HEAD, ...MODEL)).toEqual([]);
});

describe('a finding names the line', () => {
  const cases: Record<string, { readonly lines: readonly string[]; readonly want: string }> = {
    'of the field': {
      lines: ['  timeoutSeconds: 0'],
      want: 'a.yaml:6: spec.timeoutSeconds: Invalid value: 0: spec.timeoutSeconds in body should be greater than or equal to 1',
    },
    'of the field in a mapping over several lines': {
      lines: ['  scaling: { maxReplicas: 2,', '    minReplicas: 3 }'],
      want: 'a.yaml:7: spec.scaling.minReplicas: Invalid value: "object": must be less than or equal to `maxReplicas`',
    },
    'of the item in a list': {
      lines: ['  traffic:', '    - { revision: latest, percent: 100 }', '    - revision: digits-00001', '      tag: A'],
      want: 'a.yaml:9: spec.traffic[1].tag: Invalid value: "string": must be lower-case letters, digits and single "-", start with a letter and end with a letter or digit',
    },
    'of the entry in a map whose key has dots': {
      lines: ['  resources:', '    limits:', '      cpu: 1', '      nvidia.com/gpu: "?"'],
      want: 'a.yaml:9: spec.resources.limits[nvidia.com/gpu]: Invalid value: "": must be a quantity of at least 0, for example 2, 500m or 2Gi',
    },
    'of what should hold a field that is missing': {
      lines: ['  runtime:', '    env:', '      - value: a'],
      want: 'a.yaml:8: spec.runtime.env[0].name: Required value',
    },
    'of an alias, not of what it stands for': {
      lines: ['  runtime: { env: [{ name: A, value: &long xyz }] }', '  visibility: *long'],
      want: 'a.yaml:7: spec.visibility: Unsupported value: "xyz": supported values: "Cluster", "External"',
    },
    'of a key that stands twice': {
      lines: ['  timeoutSeconds: 1', '  timeoutSeconds: 2'],
      want: 'a.yaml:7: spec.timeoutSeconds: stands twice, first on line 6',
    },
    'of an unknown field': {
      lines: ['  scaling: { minReplica: 1 }'],
      want: 'a.yaml:6: spec.scaling.minReplica: unknown field "spec.scaling.minReplica"; did you mean "minReplicas"?',
    },
  };
  test.each(Object.entries(cases))('%s', (_, { lines, want }) => {
    expect(check(...HEAD, ...MODEL, ...lines)).toEqual([want]);
  });

  test('in each document of a file, with Windows line ends too', () => {
    const document = [...HEAD, ...MODEL, '  timeoutSeconds: a'];
    const text = [...document, '---', '# a comment', ...document].join('\r\n');
    expect(validateManifests([{ path: 'a.yaml', text }]).map(({ line }) => line)).toEqual([6, 14]);
  });
});

describe('refused is', () => {
  const cases: Record<string, { readonly lines: readonly string[]; readonly want: string }> = {
    'what is no YAML': {
      lines: ['a: 1', 'b: c: d'],
      want: 'a.yaml:2: is not YAML: bad indentation of a mapping entry',
    },
    'an unknown alias': { lines: ['a: *b'], want: 'a.yaml:1: is not YAML: unidentified alias "b"' },
    'a file with comments only': { lines: ['# nothing'], want: 'a.yaml:1: holds no manifest' },
    'an empty file': { lines: [''], want: 'a.yaml:1: holds no manifest' },
    'a list': { lines: ['- 1'], want: 'a.yaml:1: must be an object with apiVersion, kind, metadata and spec' },
    'no apiVersion': { lines: ['kind: ModelFunction'], want: 'a.yaml:1: apiVersion: must be pilotlight.dev/v1alpha1' },
    'no kind': { lines: [HEAD[0]!], want: 'a.yaml:1: kind: must be ModelFunction or ModelRevision' },
    'another version': {
      lines: ['apiVersion: pilotlight.dev/v9', 'kind: ModelFunction'],
      want: 'a.yaml:1: apiVersion: must be pilotlight.dev/v1alpha1',
    },
    'a misspelt kind': {
      lines: [HEAD[0]!, 'kind: ModelFuncton'],
      want: 'a.yaml:2: kind: must be ModelFunction or ModelRevision; did you mean ModelFunction?',
    },
    'another kind of the group': {
      lines: [HEAD[0]!, 'kind: Gateway'],
      want: 'a.yaml:2: kind: must be ModelFunction or ModelRevision',
    },
    'no metadata': {
      lines: [HEAD[0]!, HEAD[1]!, ...MODEL],
      want: 'a.yaml:1: metadata: Required value: must be an object with a name',
    },
    'no name': {
      lines: [HEAD[0]!, HEAD[1]!, 'metadata: {}', ...MODEL],
      want: 'a.yaml:3: metadata.name: Required value: name or generateName is required',
    },
    'what aliases blow up': {
      lines: ['a0: &a0 [x, x]', ...Array.from({ length: 30 }, (_, n) => `a${n + 1}: &a${n + 1} [*a${n}, *a${n}]`)],
      want: 'a.yaml:1: must have at most 100000 values with every alias written out',
    },
  };
  test.each(Object.entries(cases))('%s', (_, { lines, want }) => {
    expect(check(...lines)).toEqual([want]);
  });
});

test('a kind of somebody else is a warning', () => {
  const text = 'apiVersion: v1\nkind: Secret\nmetadata: { name: models-s3 }';
  expect(validateManifests([{ path: 'a.yaml', text }])).toEqual([
    {
      file: 'a.yaml',
      line: 2,
      field: 'kind',
      message: 'v1 Secret is not checked, only ModelFunction or ModelRevision is',
      severity: 'warning',
    },
  ]);
});

test('yes and no are booleans, as for kubectl', () => {
  expect(check(...HEAD, ...MODEL, '  runtime: { env: [{ name: A, value: yes }] }')).toEqual([
    'a.yaml:6: spec.runtime.env[0].value: Invalid value: "boolean": spec.runtime.env[0].value in body must be of type string: "boolean"',
  ]);
});

test('a name may be left to the API server', () => {
  expect(check(HEAD[0]!, HEAD[1]!, 'metadata: { generateName: digits- }', ...MODEL)).toEqual([]);
  expect(check(HEAD[0]!, HEAD[1]!, 'metadata: { generateName: a--b }', ...MODEL)).toHaveLength(1);
});

test('empty documents between others are nothing, as for kubectl', () => {
  expect(check('---', '---', ...HEAD, ...MODEL, '---', '# end', '---')).toEqual([]);
});

test('no text makes it throw', () => {
  const piece = fc.constantFrom(
    ...['---', '...', ': ', '- ', '{', '}', '[', ']', '&a ', '*a', '!!', '|', '"', '#', '\t', '<<', '%'],
  );
  const text = fc.array(fc.oneof(piece, fc.constantFrom(...HEAD, ...MODEL), fc.constant('\n'), fc.string()), {
    maxLength: 20,
  });
  fc.assert(
    fc.property(text, (pieces) => {
      for (const { line } of validateManifests([{ path: 'a.yaml', text: pieces.join('') }]))
        expect(line).toBeGreaterThan(0);
    }),
    { numRuns: 500 },
  );
});
