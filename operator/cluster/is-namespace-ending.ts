import { isClusterError } from './port.ts';

/**
 * True if the API server refused to make something because its namespace is being deleted. Nothing is wrong then: whoever wanted it goes as well. It
 * tells by a cause of this field alone (`NamespaceTerminating`), as other refusals by Forbidden do not.
 */
export function isNamespaceEnding(error: unknown): boolean {
  return isClusterError(error, 'Forbidden') && error.causes.some(({ field }) => field === 'metadata.namespace');
}
