/**
 * Decides whether a function needs a new revision, which of its revisions is the latest, and which are no longer kept. Pure. A change back to what an
 * older revision had makes a new one all the same: names then sort by age, and a revision means one change.
 */
import { isDeepStrictEqual } from 'node:util';
import { isTrue } from '../../common/api/conditions.ts';
import type { ModelFunction, ModelFunctionSpec, ModelRevision, RevisionTemplate } from '../../common/api/kinds.ts';
import { revisionGeneration, revisionName } from '../../common/api/names.ts';

/** The condition of a revision that ran its initial replicas once; it never goes back. */
export const PROVEN = 'Proven';

export interface RevisionPlan {
  /** Name and template of the revision to create. */
  readonly create: { readonly name: string; readonly template: RevisionTemplate } | undefined;
  readonly latestCreated: ModelRevision | undefined;
  /** The newest that has proven itself. */
  readonly latestReady: ModelRevision | undefined;
}

/** @param revisions all that the function owns */
export function planRevisions(fn: ModelFunction, revisions: readonly ModelRevision[]): RevisionPlan {
  const newestFirst = byAge(revisions);
  const latestCreated = newestFirst[0];
  const latestReady = newestFirst.find(isProven);
  const template = templateOf(fn.spec);
  if (latestCreated !== undefined && isDeepStrictEqual(latestCreated.spec.template, template)) {
    return { create: undefined, latestCreated, latestReady };
  }
  const { name } = fn.metadata;
  // The status remembers the latest one also after somebody deleted it, so that its name is not used for something else.
  const generations = [latestCreated?.metadata.name, fn.status?.latestCreatedRevision].map((revision) =>
    revision === undefined ? 0 : (revisionGeneration(name, revision) ?? 0),
  );
  return { create: { name: revisionName(name, Math.max(...generations) + 1), template }, latestCreated, latestReady };
}

/**
 * Revisions to delete: of those without traffic and without pods, the oldest beyond the history limit.
 * @param kept names with traffic or a tag, the latest created and the latest ready
 * @param withPods names of revisions that still have pods; they go when those are gone
 */
export function planHistory(
  revisions: readonly ModelRevision[],
  {
    kept,
    withPods,
    limit,
  }: { readonly kept: ReadonlySet<string>; readonly withPods: ReadonlySet<string>; readonly limit: number },
): ModelRevision[] {
  return byAge(revisions)
    .filter(({ metadata }) => !kept.has(metadata.name))
    .slice(limit)
    .filter(({ metadata }) => !withPods.has(metadata.name));
}

export function isProven({ status }: ModelRevision): boolean {
  return isTrue(status?.conditions, PROVEN);
}

/** What the user set of the revision's part, word for word. */
function templateOf({ model, runtime, batching, resources, pod }: ModelFunctionSpec): RevisionTemplate {
  return {
    model,
    ...(runtime === undefined ? {} : { runtime }),
    ...(batching === undefined ? {} : { batching }),
    ...(resources === undefined ? {} : { resources }),
    ...(pod === undefined ? {} : { pod }),
  };
}

function byAge(revisions: readonly ModelRevision[]): ModelRevision[] {
  const generation = ({ metadata, spec }: ModelRevision): number =>
    revisionGeneration(spec.functionName, metadata.name) ?? 0;
  return revisions.toSorted((a, b) => generation(b) - generation(a));
}
