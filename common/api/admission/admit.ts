/**
 * What an API server does to an object of a CustomResourceDefinition before it stores it: unknown fields are left out, defaults filled in, the shape
 * is checked, then the rules. It does not check what all kinds share (names, labels), and unlike an API server it does not forgive an update the
 * faults that the object already had.
 */
import type { FieldCause, KubernetesObject } from '../object.ts';
import { withDefaults } from './defaults.ts';
import { type Definition, type Schema, schemaOf } from './definition.ts';
import { duplicateCauses } from './list-types.ts';
import { ruleCauses } from './rules.ts';
import { structuralCauses } from './structure.ts';
import { prune } from './unknown-fields.ts';

export interface Admitted {
  /** What would be stored. */
  readonly object: KubernetesObject;
  /** Each fault, in the API server's words; the object is refused if there is any. */
  readonly causes: readonly FieldCause[];
  /** Unknown fields, which were left out; strict clients (kubectl) refuse them. */
  readonly warnings: readonly FieldCause[];
}

/** Metadata is the same for all kinds; a definition's schema only names what its rules read. */
const METADATA: Schema = {
  type: 'object',
  properties: Object.fromEntries(
    [
      ...[
        'name',
        'generateName',
        'namespace',
        'labels',
        'annotations',
        'ownerReferences',
        'finalizers',
        'uid',
        'selfLink',
      ],
      ...['resourceVersion', 'generation', 'creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds'],
      'managedFields',
    ].map((name) => [name, { 'x-kubernetes-preserve-unknown-fields': true }]),
  ),
};

/** @param oldObject The object before an update; rules that compare with it are skipped without. */
export function admit(definition: Definition, object: KubernetesObject, oldObject?: KubernetesObject): Admitted {
  const schema = schemaOf(definition);
  const warnings: FieldCause[] = [];
  const known: Schema = { ...schema, properties: { ...schema.properties, metadata: METADATA } };
  const completed = withDefaults(schema, prune(known, object, '', warnings)) as KubernetesObject;
  const structural = structuralCauses(schema, completed);
  const causes: FieldCause[] = structural.map(({ field, message }) => ({ field, message }));
  causes.push(...duplicateCauses(schema, completed));
  if (!structural.some(({ blocking }) => blocking)) causes.push(...ruleCauses(schema, completed, oldObject));
  return { object: completed, causes, warnings };
}
