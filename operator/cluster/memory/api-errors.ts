/** The API server's refusals, in its words as far as they help a person. */
import { ClusterError, type FieldCause, type ObjectKey } from '../port.ts';
import type { ResourceDefinition } from './resource-definition.ts';

export function notFound({ plural }: ResourceDefinition, { name }: ObjectKey): ClusterError {
  return new ClusterError('NotFound', `${plural} "${name}" not found`, { status: 404 });
}

export function alreadyExists({ plural }: ResourceDefinition, { name }: ObjectKey, deleting: boolean): ClusterError {
  const prefix = deleting ? 'object is being deleted: ' : '';
  return new ClusterError('AlreadyExists', `${prefix}${plural} "${name}" already exists`, { status: 409 });
}

export function conflict({ plural }: ResourceDefinition, { name }: ObjectKey, why: string): ClusterError {
  return new ClusterError('Conflict', `Operation cannot be fulfilled on ${plural} "${name}": ${why}`, { status: 409 });
}

export function staleVersion(definition: ResourceDefinition, key: ObjectKey): ClusterError {
  const why = 'the object has been modified; please apply your changes to the latest version and try again';
  return conflict(definition, key, why);
}

export function invalid({ kind }: ResourceDefinition, name: string, causes: readonly FieldCause[]): ClusterError {
  const fields = causes.map(({ field, message }) => `${field}: ${message}`).join(', ');
  return new ClusterError('Invalid', `${kind} "${name}" is invalid: ${fields}`, { status: 422, causes });
}

/** Not NotFound: whoever takes this for "the object is gone" would act on a cluster without CRDs. */
export function noSuchResource(what: string): ClusterError {
  return new ClusterError('Unavailable', `the cluster does not serve ${what}; install its CRD`, { status: 404 });
}
