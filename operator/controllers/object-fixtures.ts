/** Objects for tests of decisions: complete, with what the test is about put in. */
import { resolveTemplate } from '../../common/api/defaults.ts';
import type {
  Condition,
  ModelFunction,
  ModelFunctionSpec,
  ModelFunctionStatus,
  ModelRevision,
  ModelRevisionStatus,
  RevisionTemplate,
} from '../../common/api/kinds.ts';
import { revisionName } from '../../common/api/names.ts';
import { NO_FAILURES } from '../pods/start-history.ts';
import { PROVEN } from './plan-revisions.ts';
import type { RevisionObservation } from './revision-status.ts';

const MODEL = { uri: 'https://models/digits.onnx' };
const OWNER_UID = 'uid-digits';

export function modelFunction(spec: Partial<ModelFunctionSpec> = {}, status: ModelFunctionStatus = {}): ModelFunction {
  return {
    apiVersion: 'pilotlight.dev/v1alpha1',
    kind: 'ModelFunction',
    metadata: { name: 'digits', namespace: 'models', uid: OWNER_UID, generation: 1 },
    spec: {
      model: MODEL,
      scaling: {
        minReplicas: 0,
        maxReplicas: 10,
        metric: 'Concurrency',
        stableWindowSeconds: 60,
        panicWindowPercentage: 10,
        panicThresholdPercentage: 200,
        metricAggregationAlgorithm: 'Linear',
        maxScaleUpRatePercentage: 100_000,
        maxScaleDownRatePercentage: 200,
        scaleDownDelaySeconds: 0,
        scaleToZeroRetentionSeconds: 0,
        initialReplicas: 1,
        activationReplicas: 1,
        startTimeoutSeconds: 600,
        maxUnschedulable: 1,
        priority: 0,
      },
      concurrencyLimit: 0,
      timeoutSeconds: 60,
      queue: { maxRequests: 1000, maxBytes: 1000, timeoutSeconds: 60 },
      visibility: 'Cluster',
      rollout: { strategy: 'Surge' },
      revisionHistoryLimit: 3,
      traffic: [{ revision: 'latest', percent: 100 }],
      ...spec,
    },
    status,
  };
}

/** The function's revision of this generation. */
export function modelRevision(
  generation: number,
  { template = {}, status = {} }: { template?: Partial<RevisionTemplate>; status?: ModelRevisionStatus } = {},
): ModelRevision {
  const full = { model: MODEL, ...template };
  const name = revisionName('digits', generation);
  return {
    apiVersion: 'pilotlight.dev/v1alpha1',
    kind: 'ModelRevision',
    metadata: {
      name,
      namespace: 'models',
      uid: `uid-${name}`,
      generation: 1,
      ownerReferences: [
        {
          apiVersion: 'pilotlight.dev/v1alpha1',
          kind: 'ModelFunction',
          name: 'digits',
          uid: OWNER_UID,
          controller: true,
        },
      ],
    },
    spec: {
      functionName: 'digits',
      replicas: 0,
      template: full,
      resolved: resolveTemplate(full, { cpu: 'runtime:1', cuda: 'runtime:1-cuda' }),
    },
    status,
  };
}

/** Of a revision without pods, of which none are wanted. */
export function revisionObservation(own: Partial<RevisionObservation> = {}): RevisionObservation {
  return {
    revision: modelRevision(1),
    generation: 1,
    pods: [],
    desired: 0,
    initialReplicas: 1,
    reachable: true,
    waitsForOldPods: false,
    history: NO_FAILURES,
    foreign: [],
    mode: undefined,
    wokenAt: undefined,
    announcement: undefined,
    startMilliseconds: undefined,
    waitsForCapacity: undefined,
    ...own,
  };
}

export function condition(type: string, status: Condition['status'], reason: string = status, message = ''): Condition {
  return { type, status, reason, message, lastTransitionTime: '2026-01-01T00:00:00Z', observedGeneration: 1 };
}

export const proven: ModelRevisionStatus = { conditions: [condition('Ready', 'True'), condition(PROVEN, 'True')] };

export const failed: ModelRevisionStatus = {
  conditions: [condition('Ready', 'False', 'ModelInvalid', 'No model'), condition(PROVEN, 'False')],
};
