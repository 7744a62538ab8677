import { expect, test } from '@jest/globals';
import { admit } from '../api/admission/admit.ts';
import { MODEL_REVISION_DEFINITION } from '../api/generated/model-revision-definition.ts';
import { API_VERSION } from '../api/names.ts';
import { parseAnnouncement } from './parse-announcement.ts';

const tensor = {
  name: 'x'.repeat(512),
  datatype: 'X'.repeat(16),
  shape: Array<number>(32).fill(Number.MAX_SAFE_INTEGER),
};
const largest = {
  namespace: 'models',
  revision: 'digits-00001',
  pod: 'digits-00001-0',
  uid: 'u',
  host: '127.0.0.1',
  ports: { http: 1, control: 2 },
  executionProviders: Array<string>(8).fill('X'.repeat(16)),
  model: {
    sha256: 'a'.repeat(64),
    sizeBytes: Number.MAX_SAFE_INTEGER,
    inputs: Array<typeof tensor>(256).fill(tensor),
    outputs: Array<typeof tensor>(256).fill(tensor),
    batching: { enabled: false, reason: 'x'.repeat(1024) },
  },
};

test('the largest announcement that is read fits into the status of its revision', () => {
  const { executionProviders, model } = parseAnnouncement(largest);
  const template = { model: { uri: 'https://models/digits.onnx' } };
  const resolved = {
    ...template,
    runtime: { executionProviders: ['CPU'], instances: 1, intraOpThreads: 1, image: 'runtime:1' },
    batching: { maxBatchSize: 1, maxDelayMilliseconds: 0 },
    resources: {},
    pod: {},
  };
  const revision = {
    apiVersion: API_VERSION,
    kind: 'ModelRevision',
    metadata: { name: 'digits-00001', namespace: 'models' },
    spec: { functionName: 'digits', replicas: 1, template, resolved },
    status: { executionProviders, model },
  };
  expect(admit(MODEL_REVISION_DEFINITION, revision).causes).toEqual([]);
});

test.each([{ executionProviders: Array<string>(9).fill('CPU') }, { executionProviders: ['X'.repeat(17)] }])(
  'an announcement with other execution providers than there can be is refused',
  (change) => {
    expect(() => parseAnnouncement({ ...largest, ...change })).toThrow(/executionProviders/);
  },
);
