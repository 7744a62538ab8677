import { describe, expect, test } from '@jest/globals';
import { MODEL_FUNCTION_DEFINITION } from '../generated/model-function-definition.ts';
import { MODEL_REVISION_DEFINITION } from '../generated/model-revision-definition.ts';
import type { KubernetesObject } from '../object.ts';
import { admit } from './admit.ts';
import type { Definition, Rule, Schema } from './definition.ts';
import { MODEL_FUNCTION_CASES } from './model-function.cases.ts';
import { MODEL_REVISION_SPEC, MODEL_REVISION_UPDATE_CASES } from './model-revision.cases.ts';

interface WithSpec extends KubernetesObject {
  readonly spec: unknown;
}

function modelFunction(name: string, spec: object): WithSpec {
  return { apiVersion: 'pilotlight.dev/v1alpha1', kind: 'ModelFunction', metadata: { name }, spec };
}

function modelRevision(change: object): WithSpec {
  return {
    apiVersion: 'pilotlight.dev/v1alpha1',
    kind: 'ModelRevision',
    metadata: { name: 'digits-00001' },
    spec: { ...MODEL_REVISION_SPEC, ...change },
  };
}

const model = { uri: 's3://models/digits/model.onnx' };

describe('a ModelFunction', () => {
  test.each(MODEL_FUNCTION_CASES)('with $title', ({ name, spec, causes }) => {
    const admitted = admit(MODEL_FUNCTION_DEFINITION, modelFunction(name, spec));
    expect(admitted.warnings).toEqual([]);
    if (causes.length === 0) expect(admitted.causes).toEqual([]);
    else expect(admitted.causes).toEqual(expect.arrayContaining([...causes]));
  });

  test('gets the defaults of its own part and none of the revision’s', () => {
    const { object } = admit(MODEL_FUNCTION_DEFINITION, modelFunction('digits', { model }));
    expect((object as WithSpec).spec).toEqual({
      model,
      scaling: {
        minReplicas: 0,
        maxReplicas: 10,
        metric: 'Concurrency',
        stableWindowSeconds: 60,
        panicWindowPercentage: 10,
        panicThresholdPercentage: 200,
        metricAggregationAlgorithm: 'Linear',
        maxScaleUpRatePercentage: 100000,
        maxScaleDownRatePercentage: 200,
        scaleDownDelaySeconds: 0,
        scaleToZeroRetentionSeconds: 0,
        initialReplicas: 1,
        activationReplicas: 1,
        startTimeoutSeconds: 600,
        maxUnschedulable: 1,
        priority: 0,
      },
      concurrencyLimit: 0,
      timeoutSeconds: 60,
      queue: { maxRequests: 1000, maxBytes: 268435456, timeoutSeconds: 60 },
      visibility: 'Cluster',
      rollout: { strategy: 'Surge' },
      revisionHistoryLimit: 3,
      traffic: [{ revision: 'latest', percent: 100 }],
    });
  });

  test('stays as it is when it is admitted again', () => {
    const { object } = admit(MODEL_FUNCTION_DEFINITION, modelFunction('digits', { model }));
    expect(admit(MODEL_FUNCTION_DEFINITION, object).object).toEqual(object);
  });

  test('keeps what was given, and takes null for left out', () => {
    const spec = { model, scaling: { target: 1, maxReplicas: null }, queue: null, runtime: null };
    const { object, causes } = admit(MODEL_FUNCTION_DEFINITION, modelFunction('digits', spec));
    expect(causes).toEqual([]);
    expect((object as WithSpec).spec).toMatchObject({
      scaling: { target: 1, maxReplicas: 10 },
      queue: { maxRequests: 1000 },
    });
    expect((object as WithSpec).spec).not.toHaveProperty('runtime');
  });

  test('loses unknown fields, each with a warning that names the nearest', () => {
    const { object, warnings } = admit(MODEL_FUNCTION_DEFINITION, {
      ...modelFunction('digits', {
        model: { ...model, sha265: '' },
        scaling: { minReplica: 1 },
        traffic: [{ revision: 'latest', percent: 100, xyz: 1 }],
        pod: { nodeSelector: { anything: 'goes' }, affinity: { nodeAffinity: { anything: 'goes' } } },
      }),
      metadata: { name: 'digits', lables: {} } as KubernetesObject['metadata'],
    });
    expect(warnings).toEqual([
      { field: 'metadata.lables', message: 'unknown field "metadata.lables"; did you mean "labels"?' },
      { field: 'spec.model.sha265', message: 'unknown field "spec.model.sha265"; did you mean "sha256"?' },
      {
        field: 'spec.scaling.minReplica',
        message: 'unknown field "spec.scaling.minReplica"; did you mean "minReplicas"?',
      },
      {
        field: 'spec.traffic[0].xyz',
        message: 'unknown field "spec.traffic[0].xyz"; must be one of revision, percent, tag',
      },
    ]);
    expect(object).toMatchObject({
      metadata: { name: 'digits' },
      spec: { model, pod: { nodeSelector: { anything: 'goes' }, affinity: { nodeAffinity: { anything: 'goes' } } } },
    });
    expect(JSON.stringify(object)).not.toMatch(/lables|sha265|minReplica"|xyz/);
  });

  test('cannot smuggle a prototype in', () => {
    const hostile = JSON.parse('{"__proto__": {"scaling": {"minReplicas": 1}}, "constructor": 1}') as object;
    const { object, warnings } = admit(MODEL_FUNCTION_DEFINITION, modelFunction('digits', { model, ...hostile }));
    expect(warnings.map(({ field }) => field)).toEqual(['spec.__proto__', 'spec.constructor']);
    expect(object).toMatchObject({ spec: { scaling: { minReplicas: 0 } } });
    const map = JSON.parse('{"limits": {"__proto__": 1, "constructor": 2}}') as object;
    const admitted = admit(MODEL_FUNCTION_DEFINITION, modelFunction('digits', { model, resources: map }));
    expect(admitted.causes).toEqual([]);
    expect(JSON.stringify(admitted.object)).toContain('"limits":{"__proto__":1,"constructor":2}');
  });

  test.each([
    [null],
    [5],
    ['x'],
    [[]],
    [{ model: 5 }],
    [{ model, traffic: [null] }],
    [{ model, runtime: { env: [5] } }],
  ])('is refused, not a crash, with the spec %j', (spec) => {
    const object = modelFunction('digits', spec as object);
    expect(admit(MODEL_FUNCTION_DEFINITION, object).causes).not.toEqual([]);
  });
});

describe('a ModelRevision', () => {
  const old = admit(MODEL_REVISION_DEFINITION, modelRevision({}));

  test('is taken as the operator makes it', () => {
    expect(old.causes).toEqual([]);
  });

  test.each(MODEL_REVISION_UPDATE_CASES)('whose update changes $title', ({ change, causes }) => {
    const admitted = admit(MODEL_REVISION_DEFINITION, modelRevision(change), old.object);
    if (causes.length === 0) expect(admitted.causes).toEqual([]);
    else expect(admitted.causes).toEqual(expect.arrayContaining([...causes]));
  });

  test('is not compared with anything when it is created', () => {
    expect(admit(MODEL_REVISION_DEFINITION, modelRevision({ template: { model } })).causes).toEqual([]);
  });
});

describe('every rule', () => {
  const rules = (schema: Schema): readonly Rule[] => [
    ...(schema['x-kubernetes-validations'] ?? []),
    ...[...Object.values(schema.properties ?? {}), schema.items, schema.additionalProperties].flatMap((below) =>
      below === undefined ? [] : rules(below),
    ),
  ];
  const messages = (definition: Definition): string[] =>
    definition.spec.versions.flatMap(({ schema }) => rules(schema.openAPIV3Schema).map(({ message }) => message ?? ''));

  test.each([
    ['ModelFunction', MODEL_FUNCTION_DEFINITION],
    ['ModelRevision', MODEL_REVISION_DEFINITION],
  ])('of %s is broken by a case', (_, definition) => {
    const broken = [...MODEL_FUNCTION_CASES, ...MODEL_REVISION_UPDATE_CASES]
      .flatMap(({ causes }) => causes)
      .map(({ message }) => message);
    const unproven = messages(definition).filter((wanted) => !broken.some((message) => message.endsWith(wanted)));
    expect(unproven).toEqual([]);
  });
});
