/** Checks the metadata of an object that somebody wants to write, by the API server's rules for names, labels, annotations and owners. */
import type { FieldCause } from '../port.ts';
import type { ResourceDefinition } from './resource-definition.ts';

const DNS_LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const DNS_SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const QUALIFIED_NAME = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)$/;
const MAX_SUBDOMAIN = 253;
const MAX_ANNOTATION_BYTES = 256 * 1024;

/** Every field that is wrong; none if the metadata can be stored. */
export function metadataCauses(definition: ResourceDefinition, metadata: unknown): FieldCause[] {
  const causes: FieldCause[] = [];
  const refuse = (field: string, message: string): void => void causes.push({ field: `metadata.${field}`, message });
  if (!isRecord(metadata)) return [{ field: 'metadata', message: 'Required value' }];
  const { name, namespace, labels, annotations, ownerReferences, finalizers } = metadata;
  if (typeof name !== 'string' || name === '') refuse('name', 'Required value: name or generateName is required');
  else if (!isSubdomain(name))
    refuse('name', `Invalid value: "${name}": must be lower case letters, digits, "-" and ".", as in a DNS name`);
  if (definition.namespaced && (typeof namespace !== 'string' || !DNS_LABEL.test(namespace)))
    refuse('namespace', `Invalid value: ${JSON.stringify(namespace ?? '')}: must be a DNS label`);
  if (!definition.namespaced && namespace !== undefined && namespace !== '')
    refuse('namespace', 'Forbidden: not allowed on this type');
  for (const [key, value] of entries(labels, 'labels', refuse)) {
    if (!isQualifiedName(key))
      refuse('labels', `Invalid value: "${key}": must be [prefix/]name of at most 63 characters`);
    if (typeof value !== 'string' || (value !== '' && !QUALIFIED_NAME.test(value)))
      refuse(
        `labels[${key}]`,
        `Invalid value: ${JSON.stringify(value)}: must be at most 63 letters, digits, "-", "_", "."`,
      );
  }
  let bytes = 0;
  for (const [key, value] of entries(annotations, 'annotations', refuse)) {
    if (!isQualifiedName(key.toLowerCase())) refuse('annotations', `Invalid value: "${key}": must be [prefix/]name`);
    if (typeof value !== 'string') refuse(`annotations[${key}]`, 'Invalid value: must be a string');
    else bytes += Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  if (bytes > MAX_ANNOTATION_BYTES)
    refuse('annotations', `Too long: may not be more than ${MAX_ANNOTATION_BYTES} bytes`);
  items(ownerReferences, 'ownerReferences', refuse).forEach((owner, index) => {
    for (const field of ['apiVersion', 'kind', 'name', 'uid'])
      if (!isRecord(owner) || typeof owner[field] !== 'string' || owner[field] === '')
        refuse(`ownerReferences[${index}].${field}`, 'Required value');
  });
  if (
    items(ownerReferences, 'ownerReferences', () => undefined).filter(
      (owner) => isRecord(owner) && owner['controller'] === true,
    ).length > 1
  )
    refuse('ownerReferences', 'Invalid value: only one reference can have controller set to true');
  items(finalizers, 'finalizers', refuse).forEach((finalizer, index) => {
    if (typeof finalizer !== 'string' || !isQualifiedName(finalizer) || !finalizer.includes('/'))
      refuse(`finalizers[${index}]`, `Invalid value: ${JSON.stringify(finalizer)}: must be domain/name`);
  });
  return causes;
}

function isSubdomain(text: string): boolean {
  return text.length <= MAX_SUBDOMAIN && DNS_SUBDOMAIN.test(text);
}

/** `[prefix/]name`, the form of label keys, annotation keys and finalizers. */
function isQualifiedName(text: string): boolean {
  const slash = text.indexOf('/');
  return QUALIFIED_NAME.test(text.slice(slash + 1)) && (slash === -1 || isSubdomain(text.slice(0, slash)));
}

type Refuse = (field: string, message: string) => void;

function entries(value: unknown, field: string, refuse: Refuse): [string, unknown][] {
  if (value === undefined || value === null) return [];
  if (isRecord(value)) return Object.entries(value);
  refuse(field, 'Invalid value: must be a map of strings');
  return [];
}

function items(value: unknown, field: string, refuse: Refuse): unknown[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value;
  refuse(field, 'Invalid value: must be a list');
  return [];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
