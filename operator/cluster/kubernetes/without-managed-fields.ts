/**
 * Takes off `metadata.managedFields`, the API server's record of who set what. Nothing here reads it, it is up to half of an object, and caches hold
 * thousands of objects. An update without it keeps it.
 */
export function withoutManagedFields<T>(object: T): T {
  if (typeof object !== 'object' || object === null || !('metadata' in object)) return object;
  const { metadata } = object;
  if (typeof metadata !== 'object' || metadata === null || !('managedFields' in metadata)) return object;
  const kept = Object.entries(metadata).filter(([field]) => field !== 'managedFields');
  return { ...object, metadata: Object.fromEntries(kept) };
}
