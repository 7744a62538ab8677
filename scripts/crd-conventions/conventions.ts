/**
 * What every field of crds/*.yaml must be like, after Kubernetes' API conventions
 * (https://github.com/kubernetes/community/blob/master/contributors/devel/sig-architecture/api-conventions.md).
 * Each convention looks at one field and says what is wrong with it, or nothing.
 */
import type { Field } from './field.ts';

export type Convention = (field: Field) => string | undefined;

/** What has no value that would mean its absence, or whose default is another one for each value of another field. */
const OPTIONAL_WITHOUT_DEFAULT = ['spec.traffic[].tag', 'spec.scaling.target'];

export const CONVENTIONS = {
  isDescribed: ({ name, schema }) =>
    name === undefined || schema.description?.startsWith(`${name} `) === true
      ? undefined
      : `must have a description that begins with ${name}`,
  isNamedPlainly: ({ name }) =>
    name === undefined || /^[a-z][a-zA-Z0-9]*$/.test(name) ? undefined : 'must have a camelCase name',
  boundsStrings: ({ schema }) => {
    const text =
      schema['x-kubernetes-int-or-string'] === true || (schema.type === 'string' && schema.enum === undefined);
    return text && schema.maxLength === undefined ? 'must have a maxLength' : undefined;
  },
  boundsIntegers: ({ schema }) =>
    schema.type === 'integer' && (schema.minimum === undefined || schema.maximum === undefined)
      ? 'must have a minimum and a maximum'
      : undefined,
  formatsIntegers: ({ schema }) => {
    if (schema.type !== 'integer') return undefined;
    const wanted = (schema.maximum ?? 0) > 2 ** 31 - 1 ? 'int64' : 'int32';
    return schema.format === wanted || schema.format === 'int64' ? undefined : `must have the format ${wanted}`;
  },
  boundsLists: ({ schema }) =>
    schema.type === 'array' && schema.maxItems === undefined ? 'must have maxItems' : undefined,
  boundsMaps: ({ schema }) => {
    const open = schema.additionalProperties !== undefined || schema['x-kubernetes-preserve-unknown-fields'] === true;
    return open && schema.maxProperties === undefined ? 'must have maxProperties' : undefined;
  },
  typesLists: ({ schema }) => {
    if (schema.type !== 'array') return undefined;
    const type = schema['x-kubernetes-list-type'];
    if (type !== 'map') return type === undefined ? 'must have an x-kubernetes-list-type' : undefined;
    const required = schema.items?.required ?? [];
    const keys = schema['x-kubernetes-list-map-keys'] ?? [];
    return keys.length > 0 && keys.every((key) => required.includes(key)) ? undefined : 'must require its keys';
  },
  hasNoFloats: ({ schema }) => (schema.type === 'number' ? 'must be an integer or a quantity, not a float' : undefined),
  hasNoBooleans: ({ schema, part }) =>
    schema.type === 'boolean' && part !== 'status' ? 'must be an enum, which can get a third choice' : undefined,
  spellsChoices: ({ schema }) =>
    schema.enum?.every((choice) => typeof choice === 'string' && /^[A-Z][A-Za-z0-9]*$/.test(choice)) === false
      ? 'must have choices in CamelCase'
      : undefined,
  countsTime: ({ name, schema }) => {
    if (schema.format === 'duration' || /(Duration|Interval|Timeout|Window|Delay|Period)$/.test(name ?? '')) {
      return 'must be an integer with its unit in the name, fooSeconds';
    }
    return /(Seconds|Milliseconds)$/.test(name ?? '') && schema.type !== 'integer' ? 'must be an integer' : undefined;
  },
  hasNoPhase: ({ name, part }) =>
    name === 'phase' && part === 'status' ? 'must be conditions: a phase cannot grow' : undefined,
  defaultsOnlyOptional: ({ schema, required, name }) =>
    required && name !== undefined && schema.default !== undefined
      ? 'must not be required and have a default'
      : undefined,
  defaultsFunction: ({ path, name, schema, required, part }) => {
    if (part !== 'function' || name === undefined || required || OPTIONAL_WITHOUT_DEFAULT.includes(path))
      return undefined;
    return schema.default === undefined ? 'must be required or have a default' : undefined;
  },
  leavesRevisionAlone: ({ schema, part }) =>
    part === 'revision' && schema.default !== undefined
      ? 'must have no default: the revision is what the user set, word for word'
      : undefined,
  explainsRules: ({ schema }) =>
    (schema['x-kubernetes-validations'] ?? []).every(({ message }) => /^(must|is immutable)\b/.test(message ?? ''))
      ? undefined
      : 'must have rules whose message says what must hold: "must …"',
  startsWithConditions: ({ path, schema }) => {
    if (path !== 'status') return undefined;
    const { conditions, observedGeneration } = schema.properties ?? {};
    const first = Object.keys(schema.properties ?? {})[0];
    const byType = conditions?.['x-kubernetes-list-map-keys']?.join() === 'type';
    return first === 'conditions' && byType && observedGeneration !== undefined
      ? undefined
      : 'must begin with conditions, a map by type, and have observedGeneration';
  },
  completesConditions: ({ path, schema }) =>
    path === 'status.conditions[]' &&
    ['type', 'status', 'reason', 'message', 'lastTransitionTime'].some(
      (field) => schema.required?.includes(field) !== true,
    )
      ? 'must require type, status, reason, message and lastTransitionTime'
      : undefined,
} as const satisfies Record<string, Convention>;

export type ConventionName = keyof typeof CONVENTIONS;
