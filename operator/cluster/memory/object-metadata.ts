/** Checks the metadata of an object that somebody wants to write, by the API server's rules for names, labels, annotations and owners. */
import type { FieldCause } from '../port.ts';
import { isJsonObject } from './json.ts';
import type { ResourceDefinition } from './resource-definition.ts';

const DNS_LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const DNS_SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const QUALIFIED_NAME = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const MAX_SUBDOMAIN_CHARACTERS = 253;
const MAX_ANNOTATION_BYTES = 256 * 1024;

/** Every field that is wrong; none if the metadata can be stored. */
export function metadataCauses(
  { namespaced }: ResourceDefinition,
  metadata: Readonly<Record<string, unknown>>,
): FieldCause[] {
  const { name, namespace, labels, annotations, ownerReferences, finalizers } = metadata;
  return [
    ...nameCauses(name),
    ...(namespaced ? namespaceCauses(namespace) : clusterScopeCauses(namespace)),
    ...mapCauses('labels', labels, labelCauses),
    ...mapCauses('annotations', annotations, annotationCauses),
    ...listCauses('ownerReferences', ownerReferences, ownerCauses),
    ...listCauses('finalizers', finalizers, finalizerCauses),
  ];
}

function nameCauses(name: unknown): FieldCause[] {
  if (typeof name !== 'string' || name === '') return [cause('name', 'Required value')];
  if (isSubdomain(name)) return [];
  return [cause('name', `Invalid value: "${name}": must be lower case letters, digits, "-" and ".", as in a DNS name`)];
}

function namespaceCauses(namespace: unknown): FieldCause[] {
  if (namespace === undefined || namespace === '') return [cause('namespace', 'Required value')];
  if (typeof namespace === 'string' && DNS_LABEL.test(namespace)) return [];
  return [cause('namespace', `Invalid value: ${JSON.stringify(namespace)}: must be a DNS label`)];
}

function clusterScopeCauses(namespace: unknown): FieldCause[] {
  if (namespace === undefined || namespace === '') return [];
  return [cause('namespace', 'Forbidden: not allowed on this type')];
}

function labelCauses(labels: readonly (readonly [string, unknown])[]): FieldCause[] {
  const keys = labels
    .filter(([key]) => !isQualifiedName(key))
    .map(([key]) => cause('labels', `Invalid value: "${key}": must be [prefix/]name of at most 63 characters`));
  const values = labels
    .filter(([, value]) => typeof value !== 'string' || (value !== '' && !QUALIFIED_NAME.test(value)))
    .map(([key, value]) => {
      const rule = 'must be at most 63 letters, digits, "-", "_" and "."';
      return cause(`labels[${key}]`, `Invalid value: ${JSON.stringify(value)}: ${rule}`);
    });
  return [...keys, ...values];
}

function annotationCauses(annotations: readonly (readonly [string, unknown])[]): FieldCause[] {
  const causes = annotations.flatMap(([key, value]) => [
    ...(isQualifiedName(key.toLowerCase())
      ? []
      : [cause('annotations', `Invalid value: "${key}": must be [prefix/]name`)]),
    ...(typeof value === 'string' ? [] : [cause(`annotations[${key}]`, 'Invalid value: must be a string')]),
  ]);
  let bytes = 0;
  for (const [key, value] of annotations) bytes += Buffer.byteLength(key) + Buffer.byteLength(String(value));
  if (bytes > MAX_ANNOTATION_BYTES)
    causes.push(cause('annotations', `Too long: must be at most ${MAX_ANNOTATION_BYTES} bytes`));
  return causes;
}

function ownerCauses(owners: readonly unknown[]): FieldCause[] {
  const causes = owners.flatMap((owner, index) =>
    ['apiVersion', 'kind', 'name', 'uid']
      .filter((field) => !isJsonObject(owner) || typeof owner[field] !== 'string' || owner[field] === '')
      .map((field) => cause(`ownerReferences[${index}].${field}`, 'Required value')),
  );
  const controllers = owners.filter((owner) => isJsonObject(owner) && owner['controller'] === true);
  if (controllers.length > 1)
    causes.push(cause('ownerReferences', 'Invalid value: only one reference can have controller set to true'));
  return causes;
}

function finalizerCauses(finalizers: readonly unknown[]): FieldCause[] {
  return finalizers.flatMap((finalizer, index) => {
    if (typeof finalizer === 'string' && finalizer.includes('/') && isQualifiedName(finalizer)) return [];
    return [cause(`finalizers[${index}]`, `Invalid value: ${JSON.stringify(finalizer)}: must be domain/name`)];
  });
}

function mapCauses(
  field: string,
  value: unknown,
  check: (entries: readonly (readonly [string, unknown])[]) => FieldCause[],
): FieldCause[] {
  if (value === undefined) return [];
  return isJsonObject(value) ? check(Object.entries(value)) : [cause(field, 'Invalid value: must be a map of strings')];
}

function listCauses(field: string, value: unknown, check: (items: readonly unknown[]) => FieldCause[]): FieldCause[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? check(value) : [cause(field, 'Invalid value: must be a list')];
}

function isSubdomain(text: string): boolean {
  return text.length <= MAX_SUBDOMAIN_CHARACTERS && DNS_SUBDOMAIN.test(text);
}

/** `[prefix/]name`, the form of label keys, annotation keys and finalizers. */
function isQualifiedName(text: string): boolean {
  const slash = text.indexOf('/');
  return QUALIFIED_NAME.test(text.slice(slash + 1)) && (slash === -1 || isSubdomain(text.slice(0, slash)));
}

function cause(field: string, message: string): FieldCause {
  return { field: `metadata.${field}`, message };
}
