import { describe, expect, test } from '@jest/globals';
import type { Condition, ModelFunctionSpec, ModelRevision, ModelRevisionStatus } from '../../common/api/kinds.ts';
import { functionStatus, type FunctionStatusInput } from './function-status.ts';
import { viewFunction } from './function-view.ts';
import { condition, failed, modelFunction, modelRevision, proven } from './object-fixtures.ts';
import { PROVEN } from './plan-revisions.ts';
import { PROVIDERS_AVAILABLE } from './revision-status.ts';

const serving: ModelRevisionStatus = {
  conditions: [...(proven.conditions ?? []), condition('Active', 'True')],
  readyReplicas: 2,
  desiredReplicas: 3,
};
const atZero: ModelRevisionStatus = { conditions: [...(proven.conditions ?? []), condition('Active', 'False')] };
const starting: ModelRevisionStatus = {
  conditions: [
    condition('Ready', 'Unknown', 'Starting', '0 of 1'),
    condition(PROVEN, 'Unknown'),
    condition('Active', 'Unknown'),
  ],
};
const stalled: ModelRevisionStatus = { conditions: [...(failed.conditions ?? []), condition('Stalled', 'True')] };

interface Case {
  readonly spec?: Partial<ModelFunctionSpec>;
  readonly revisions: ModelRevision[];
  readonly refusal?: FunctionStatusInput['refusal'];
  readonly serviceRefusal?: FunctionStatusInput['serviceRefusal'];
  readonly want: Record<string, string>;
}
const CASES: Record<string, Case> = {
  'just made': { revisions: [], want: { Ready: 'Unknown Reconciling: A revision is being made' } },
  'starting for the first time': {
    revisions: [modelRevision(1, { status: starting })],
    want: {
      Ready: 'Unknown Starting: Revision digits-00001: 0 of 1',
      Reconciling: 'True Starting: Revision digits-00001: 0 of 1',
      TrafficAssigned: 'Unknown NoRevisionReady: Revision digits-00001 gets traffic and was never ready yet',
      Active: 'Unknown Starting: Pods are starting',
    },
  },
  serving: {
    revisions: [modelRevision(1, { status: serving })],
    want: { Ready: 'True Ready: Calls are served', TrafficAssigned: 'True Routed: ', Active: 'True Serving: ' },
  },
  'serving without the GPU that was asked for': {
    revisions: [
      modelRevision(1, {
        status: {
          ...serving,
          conditions: [
            ...(serving.conditions ?? []),
            condition(PROVIDERS_AVAILABLE, 'False', 'FellBack', 'CUDA is not available in the pod, so CPU serves'),
          ],
        },
      }),
    ],
    want: {
      Ready: 'True Ready: Calls are served',
      ProvidersAvailable: 'False FellBack: Revision digits-00001: CUDA is not available in the pod, so CPU serves',
    },
  },
  'healthy at zero': {
    revisions: [modelRevision(1, { status: atZero })],
    want: {
      Ready: 'True Ready: Calls are served',
      Active: 'False NoDemand: It is at zero; the next request wakes it',
    },
  },
  'serving while a new revision starts': {
    revisions: [modelRevision(1, { status: serving }), modelRevision(2, { status: starting })],
    want: {
      Ready: 'Unknown Starting: Revision digits-00002: 0 of 1; digits-00001 serves on',
      TrafficAssigned: 'True Routed: ',
      Active: 'True Serving: ',
    },
  },
  'serving while the new revision is broken for good': {
    revisions: [modelRevision(1, { status: serving }), modelRevision(2, { status: stalled })],
    want: {
      Ready: 'False ModelInvalid: Revision digits-00002: No model; digits-00001 serves on',
      Stalled: 'True ModelInvalid: Revision digits-00002: No model; digits-00001 serves on',
    },
  },
  'not bothered by a broken revision that nobody reaches': {
    revisions: [modelRevision(1, { status: failed }), modelRevision(2, { status: serving })],
    want: { Ready: 'True Ready: Calls are served' },
  },
  'naming a revision that is not there': {
    spec: { traffic: [{ revision: 'digits-00009', percent: 100 }] },
    revisions: [modelRevision(1, { status: serving })],
    want: {
      Ready:
        'False RevisionMissing: spec.traffic names digits-00009, which does not exist; traffic stays as status.traffic says',
    },
  },
  'without its new revision': {
    revisions: [modelRevision(1, { status: serving })],
    refusal: { reason: 'NotOwned', message: 'Not ours' },
    want: { Ready: 'False NotOwned: Not ours', Stalled: 'True NotOwned: Not ours', Active: 'True Serving: ' },
  },
  'serving by a path but not by its name': {
    revisions: [modelRevision(1, { status: serving })],
    serviceRefusal: { reason: 'NotOwned', message: 'Not ours' },
    want: {
      Ready: 'False NotOwned: Not ours',
      Stalled: 'True NotOwned: Not ours',
      RevisionsReady: 'True Ready: ',
      TrafficAssigned: 'False NotOwned: Not ours',
      Active: 'True Serving: ',
    },
  },
};

function status({
  spec = {},
  revisions,
  refusal,
  serviceRefusal,
}: Omit<Case, 'want'>): ReturnType<typeof functionStatus> {
  return functionStatus({
    view: viewFunction(modelFunction(spec), revisions),
    refusal,
    serviceRefusal,
    url: (namespace, name, tag = '-') => `http://${tag}.${name}.${namespace}`,
    now: 0,
  });
}

const text = ({ status: state, reason, message }: Condition): string => `${state} ${reason}: ${message}`;

describe('the status of a function that is', () => {
  test.each(Object.entries(CASES))('%s', (_name, { want, ...input }) => {
    const conditions = Object.fromEntries((status(input).conditions ?? []).map((each) => [each.type, text(each)]));
    expect(conditions).toMatchObject(want);
  });
});

test('the status adds up its revisions and says where things are', () => {
  const model = { sha256: 'ab', sizeBytes: 1, inputs: [], outputs: [], batching: { enabled: true, reason: 'Yes' } };
  const traffic = [
    { revision: 'latest', percent: 100 },
    { revision: 'digits-00002', percent: 0, tag: 'next' },
  ];
  const revisions = [
    modelRevision(1, { status: { ...serving, model } }),
    modelRevision(2, { status: { ...starting, readyReplicas: 1, desiredReplicas: 1 } }),
  ];
  expect(status({ spec: { traffic }, revisions })).toMatchObject({
    observedGeneration: 1,
    url: 'http://-.digits.models',
    latestCreatedRevision: 'digits-00002',
    latestReadyRevision: 'digits-00001',
    replicas: 3,
    desiredReplicas: 4,
    traffic: [
      { revision: 'digits-00001', percent: 100 },
      { revision: 'digits-00002', percent: 0, tag: 'next', url: 'http://next.digits.models' },
    ],
    model,
  });
});
