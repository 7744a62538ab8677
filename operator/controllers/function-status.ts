/** A function's status from its revisions'. Pure. What is wrong with a revision surfaces here word for word, with the revision's name. */
import { findCondition, isTrue, summarise, updateConditions, type Finding } from '../../common/api/conditions.ts';
import type { ModelFunctionStatus, ModelRevision, TrafficStatus } from '../../common/api/kinds.ts';
import { isReason } from '../../common/api/reasons.ts';
import type { FunctionView } from './function-view.ts';
import { isProven } from './plan-revisions.ts';
import { PROVIDERS_AVAILABLE } from './revision-status.ts';

/** Where callers inside the cluster reach a function, or a tag of it. */
export type FunctionUrl = (namespace: string, name: string, tag?: string) => string;

export interface FunctionStatusInput {
  readonly view: FunctionView;
  /** Why no revision could be made. */
  readonly refusal: Pick<Finding, 'reason' | 'message'> | undefined;
  /** Why callers do not reach it by its name. */
  readonly serviceRefusal: Pick<Finding, 'reason' | 'message'> | undefined;
  readonly url: FunctionUrl;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export function functionStatus(input: FunctionStatusInput): ModelFunctionStatus {
  const { view, url, now } = input;
  const { function: fn, revisions, latestCreated, latestReady } = view;
  const { namespace = '', name, generation = 0 } = fn.metadata;
  const traffic: TrafficStatus[] = view.traffic.map((target) => ({
    ...target,
    ...(target.tag === undefined ? {} : { url: url(namespace, name, target.tag) }),
  }));
  const model = latestReady?.status?.model;
  return {
    conditions: updateConditions(fn.status?.conditions ?? [], findings(input), { generation, now }),
    observedGeneration: generation,
    url: url(namespace, name),
    ...(latestCreated === undefined ? {} : { latestCreatedRevision: latestCreated.metadata.name }),
    ...(latestReady === undefined ? {} : { latestReadyRevision: latestReady.metadata.name }),
    replicas: sum(revisions, 'readyReplicas'),
    desiredReplicas: sum(revisions, 'desiredReplicas'),
    traffic,
    ...(model === undefined ? {} : { model }),
  };
}

function sum(revisions: readonly ModelRevision[], field: 'readyReplicas' | 'desiredReplicas'): number {
  return revisions.reduce((total, { status }) => total + (status?.[field] ?? 0), 0);
}

function findings({ view, refusal, serviceRefusal }: FunctionStatusInput): Finding[] {
  const revisionsReady: Finding =
    refusal === undefined
      ? readiness(view)
      : { type: 'RevisionsReady', status: 'False', reason: refusal.reason, message: refusal.message };
  const assigned = assignment(view, serviceRefusal);
  const needsUser =
    refusal !== undefined || serviceRefusal !== undefined || view.missing.length > 0 || concerned(view).some(isStalled);
  const summary = summarise([revisionsReady, assigned], { needsUser, ready: 'Calls are served' });
  return [...summary, revisionsReady, assigned, activity(view), ...providersFound(view)];
}

/** The revisions that the function's readiness depends on: those with traffic, and the latest, while it is to get it. */
function concerned({ revisions, reachable }: FunctionView): readonly ModelRevision[] {
  return revisions.filter(({ metadata }) => reachable.has(metadata.name));
}

function readiness(view: FunctionView): Finding {
  const type = 'RevisionsReady';
  const states = concerned(view).map((revision) => ({
    name: revision.metadata.name,
    ready: findCondition(revision.status?.conditions, 'Ready'),
  }));
  const worst =
    states.find(({ ready }) => ready?.status === 'False') ?? states.find(({ ready }) => ready?.status !== 'True');
  if (worst === undefined && states.length > 0) return { type, status: 'True', reason: 'Ready', message: '' };
  if (worst?.ready === undefined) {
    return { type, status: 'Unknown', reason: 'Reconciling', message: 'A revision is being made' };
  }
  const { status, reason, message } = worst.ready;
  return {
    type,
    status,
    reason: isReason(reason) ? reason : 'Reconciling',
    message: `Revision ${worst.name}: ${message}${servesOn(view, worst.name)}`,
  };
}

/** Whoever reads that a new revision is broken wants to know first whether callers notice. */
function servesOn({ traffic, latestReady }: FunctionView, broken: string): string {
  const serving = latestReady?.metadata.name;
  const serves = serving !== undefined && serving !== broken && traffic.some(({ revision }) => revision === serving);
  return serves ? `; ${serving} serves on` : '';
}

/**
 * A name that leads elsewhere is False, and with it `Ready`, though calls by the gateway's path are served: `status.url` is what whoever waits for
 * `Ready` calls next, and somebody else's program would answer. Only a person can say which of the two is to have the name.
 */
function assignment(
  { traffic, missing, revisions }: FunctionView,
  serviceRefusal: FunctionStatusInput['serviceRefusal'],
): Finding {
  const type = 'TrafficAssigned';
  if (missing.length > 0) {
    const message = `spec.traffic names ${missing.join(', ')}, which does not exist; traffic stays as status.traffic says`;
    return { type, status: 'False', reason: 'RevisionMissing', message };
  }
  if (serviceRefusal !== undefined) {
    return { type, status: 'False', reason: serviceRefusal.reason, message: serviceRefusal.message };
  }
  const proven = new Set(revisions.filter(isProven).map(({ metadata }) => metadata.name));
  const unproven = traffic.find(({ revision }) => !proven.has(revision))?.revision;
  if (traffic.length === 0 || unproven !== undefined) {
    return {
      type,
      status: 'Unknown',
      reason: 'NoRevisionReady',
      message:
        unproven === undefined
          ? 'There is no revision yet'
          : `Revision ${unproven} gets traffic and was never ready yet`,
    };
  }
  return { type, status: 'True', reason: 'Routed', message: '' };
}

/** Of the first revision that fell back, else of any. */
function providersFound(view: FunctionView): Finding[] {
  const found = concerned(view).flatMap(({ metadata, status }) => {
    const condition = findCondition(status?.conditions, PROVIDERS_AVAILABLE);
    return condition === undefined ? [] : [{ revision: metadata.name, condition }];
  });
  const first = found.find(({ condition }) => condition.status === 'False') ?? found[0];
  if (first === undefined) return [];
  const { status, reason, message } = first.condition;
  return [
    {
      type: PROVIDERS_AVAILABLE,
      status,
      reason: isReason(reason) ? reason : 'Reconciling',
      message: message === '' ? '' : `Revision ${first.revision}: ${message}`,
    },
  ];
}

/** Of the revisions with traffic; a new one that proves itself is not what callers reach. */
function activity({ revisions, traffic }: FunctionView): Finding {
  const names = new Set(traffic.map(({ revision }) => revision));
  const routed = revisions.filter(({ metadata }) => names.has(metadata.name));
  const active = routed.map(({ status }) => findCondition(status?.conditions, 'Active'));
  const waits = waitsForCapacity(routed);
  if (active.some((condition) => condition?.status === 'True')) {
    return { type: 'Active', status: 'True', reason: 'Serving', message: waits ?? '' };
  }
  if (waits !== undefined) return { type: 'Active', status: 'Unknown', reason: 'WaitingForCapacity', message: waits };
  if (active.length > 0 && active.every((condition) => condition?.status === 'False')) {
    return { type: 'Active', status: 'False', reason: 'NoDemand', message: 'It is at zero; the next request wakes it' };
  }
  return { type: 'Active', status: 'Unknown', reason: 'Starting', message: 'Pods are starting' };
}

/** It serves with those that it has; that it wants more is seen nowhere else. */
function waitsForCapacity(routed: readonly ModelRevision[]): string | undefined {
  for (const { metadata, status } of routed) {
    const healthy = findCondition(status?.conditions, 'PodsHealthy');
    if (healthy?.reason === 'WaitingForCapacity') return `Revision ${metadata.name}: ${healthy.message}`;
  }
  return undefined;
}

function isStalled({ status }: ModelRevision): boolean {
  return isTrue(status?.conditions, 'Stalled');
}
