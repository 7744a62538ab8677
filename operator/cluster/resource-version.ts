/**
 * The order of resource versions. Kubernetes 1.35 promises that those of one resource are decimal numbers that grow (KEP-5504); before it they
 * were called opaque, but every API server over etcd has always handed out etcd's revision.
 */

const DECIMAL = /^[1-9]\d*$/;

/** True only if `a` is surely older than `b`: versions of another form, as an aggregated API may have, have no order. */
export function isOlderVersion(a: string | undefined, b: string | undefined): boolean {
  if (a === undefined || b === undefined || !DECIMAL.test(a) || !DECIMAL.test(b)) return false;
  // Compared as text, because a revision may exceed what a number holds exactly.
  return a.length === b.length ? a < b : a.length < b.length;
}
