/**
 * True if `actual` has everything that `wanted` has, field by field; lists must have the same items in the same order. An API server adds defaults to
 * what it was given, so equality would see a difference for ever.
 */
export function contains(actual: unknown, wanted: unknown): boolean {
  if (Array.isArray(wanted)) {
    if (!Array.isArray(actual) || actual.length !== wanted.length) return false;
    return wanted.every((item, index) => contains(actual[index], item));
  }
  if (typeof wanted !== 'object' || wanted === null) return actual === wanted;
  if (typeof actual !== 'object' || actual === null) return false;
  const fields = actual as Readonly<Record<string, unknown>>;
  return Object.entries(wanted).every(([field, value]) => contains(fields[field], value));
}
