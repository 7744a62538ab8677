/**
 * Conditions as Kubernetes and kstatus read them: `Ready` summarises; `Reconciling` and `Stalled` exist only while they are true. Nothing here knows
 * what a condition is about.
 */
import type { Condition, ConditionStatus } from './kinds.ts';
import type { Reason } from './reasons.ts';

/** What is now found to be so, before anybody knows whether that is new. */
export interface Finding {
  readonly type: string;
  readonly status: ConditionStatus;
  readonly reason: Reason;
  readonly message: string;
}

/** Kubernetes' own bound on a condition's message. */
const MAX_MESSAGE_CHARACTERS = 32_768;

/**
 * The findings as conditions, in their order; types that were not found are gone. A condition whose status stayed keeps its transition time.
 * @param now milliseconds since the epoch
 */
export function updateConditions(
  previous: readonly Condition[],
  findings: readonly Finding[],
  { generation, now }: { readonly generation: number; readonly now: number },
): Condition[] {
  return findings.map((finding) => {
    const before = findCondition(previous, finding.type);
    return {
      ...finding,
      message: finding.message.slice(0, MAX_MESSAGE_CHARACTERS),
      lastTransitionTime: before?.status === finding.status ? before.lastTransitionTime : timestamp(now),
      observedGeneration: generation,
    };
  });
}

export function findCondition(conditions: readonly Condition[] | undefined, type: string): Condition | undefined {
  return conditions?.find((condition) => condition.type === type);
}

export function isTrue(conditions: readonly Condition[] | undefined, type: string): boolean {
  return findCondition(conditions, type)?.status === 'True';
}

/**
 * `Ready` of several findings: False with the reason of the first that is False, else Unknown with that of the first that is Unknown, else True.
 * With it comes what kstatus looks at: `Reconciling` while Unknown; `Stalled` while False and only a change by the user can help.
 */
export function summarise(
  findings: readonly Finding[],
  options: { readonly needsUser: boolean; readonly ready: string },
): Finding[] {
  const worst =
    findings.find(({ status }) => status === 'False') ?? findings.find(({ status }) => status === 'Unknown');
  if (worst === undefined) return [{ type: 'Ready', status: 'True', reason: 'Ready', message: options.ready }];
  const { status, reason, message } = worst;
  const summary: Finding[] = [{ type: 'Ready', status, reason, message }];
  if (status === 'Unknown') summary.push({ type: 'Reconciling', status: 'True', reason, message });
  else if (options.needsUser) summary.push({ type: 'Stalled', status: 'True', reason, message });
  return summary;
}

/** Kubernetes' time format: RFC 3339 in whole seconds. */
export function timestamp(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(/\.\d+Z$/, 'Z');
}
