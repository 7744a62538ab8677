/** The JSON merge patch from one status to another; undefined if there is nothing to write. Fields are compared and replaced whole. */
import { isDeepStrictEqual } from 'node:util';

export function statusPatch<T extends object>(
  current: T | undefined,
  next: T,
): Partial<Record<keyof T, unknown>> | undefined {
  const before: Partial<T> = current ?? {};
  const patch: Partial<Record<keyof T, unknown>> = {};
  for (const key of new Set([...Object.keys(before), ...Object.keys(next)]) as Set<keyof T>) {
    // Undefined would be left out of the JSON, and so would leave the field as it was.
    if (!isDeepStrictEqual(before[key], next[key])) patch[key] = next[key] ?? null;
  }
  return Object.keys(patch).length === 0 ? undefined : patch;
}
