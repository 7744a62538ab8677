import { describe, expect, test } from '@jest/globals';
import { resolveTemplate } from './defaults.ts';
import type { ResolvedTemplate, RevisionTemplate } from './kinds.ts';

const images = { cpu: 'runtime:1', cuda: 'runtime:1-cuda' };
const model = { uri: 'https://models/digits.onnx' };

interface Case {
  readonly template: Omit<RevisionTemplate, 'model'>;
  readonly want: Partial<ResolvedTemplate['runtime']>;
}
const CASES: Record<string, Case> = {
  'nothing set': {
    template: {},
    want: { executionProviders: ['CPU'], instances: 1, intraOpThreads: 1, image: 'runtime:1' },
  },
  'a GPU': {
    template: { resources: { limits: { 'nvidia.com/gpu': 1 } } },
    want: { executionProviders: ['CUDA', 'CPU'], image: 'runtime:1-cuda' },
  },
  'a GPU as text': {
    template: { resources: { limits: { 'nvidia.com/gpu': '2' } } },
    want: { image: 'runtime:1-cuda' },
  },
  'no GPU in so many words': {
    template: { resources: { limits: { 'nvidia.com/gpu': '0' } } },
    want: { executionProviders: ['CPU'], image: 'runtime:1' },
  },
  'CPU asked for beside a GPU': {
    template: { runtime: { executionProviders: ['CPU'] }, resources: { limits: { 'nvidia.com/gpu': 1 } } },
    want: { executionProviders: ['CPU'], image: 'runtime:1' },
  },
  'whole CPUs': { template: { resources: { limits: { cpu: 4 } } }, want: { intraOpThreads: 4 } },
  'thousandths of a CPU': { template: { resources: { limits: { cpu: '3500m' } } }, want: { intraOpThreads: 3 } },
  'more CPUs than a run may have threads': {
    template: { resources: { limits: { cpu: 1000 } } },
    want: { intraOpThreads: 256 },
  },
  'less than a CPU': { template: { resources: { limits: { cpu: '0.5' } } }, want: { intraOpThreads: 1 } },
  'CPUs shared by instances': {
    template: { runtime: { instances: 2 }, resources: { limits: { cpu: '4' } } },
    want: { intraOpThreads: 2 },
  },
  'threads set': {
    template: { runtime: { intraOpThreads: 7 }, resources: { limits: { cpu: '4' } } },
    want: { intraOpThreads: 7 },
  },
  'session options, whose defaults are the image’s': {
    template: { runtime: { session: { prepacking: 'Disabled' } } },
    want: { session: { prepacking: 'Disabled' } },
  },
  'an image set': { template: { runtime: { image: 'mine' } }, want: { image: 'mine' } },
};

describe('a template resolves with', () => {
  test.each(Object.entries(CASES))('%s', (_name, { template, want }) => {
    const resolved = resolveTemplate({ model, ...template }, images);
    expect(resolved.runtime).toMatchObject(want);
    expect(resolved.batching).toEqual({ mode: 'Auto', maxBatchSize: 32, maxDelayMilliseconds: 0 });
    expect(resolveTemplate(resolved, { cpu: 'runtime:2', cuda: 'runtime:2-cuda' })).toEqual(resolved);
  });
});
