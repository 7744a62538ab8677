import { contains } from './contains.ts';
import type { ObjectMeta } from './port.ts';

/** The metadata with the labels and the owners that an object was made with; undefined if it has them. What others added stays. */
export function restoredMetadata(
  present: ObjectMeta,
  { labels = {}, ownerReferences = [] }: Pick<ObjectMeta, 'labels' | 'ownerReferences'>,
): ObjectMeta | undefined {
  const owners = present.ownerReferences ?? [];
  const missing = ownerReferences.filter((wanted) => !owners.some((owner) => contains(owner, wanted)));
  if (missing.length === 0 && contains(present.labels ?? {}, labels)) return undefined;
  const restored = { ...present, labels: { ...present.labels, ...labels } };
  if (missing.length === 0) return restored;
  const uids = new Set(missing.map(({ uid }) => uid));
  return { ...restored, ownerReferences: [...owners.filter(({ uid }) => !uids.has(uid)), ...missing] };
}
