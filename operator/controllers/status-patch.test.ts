import { expect, test } from '@jest/globals';
import { statusPatch } from './status-patch.ts';

interface Status {
  readonly replicas?: number;
  readonly wokenAt?: string;
  readonly conditions?: readonly { readonly type: string }[];
}

const before: Status = { replicas: 1, wokenAt: 'then', conditions: [{ type: 'Ready' }] };

test.each<[string, Status | undefined, Status, object | undefined]>([
  ['nothing', before, { ...before, conditions: [{ type: 'Ready' }] }, undefined],
  ['what changed', before, { ...before, replicas: 2 }, { replicas: 2 }],
  ['null for what is gone', before, { replicas: 1, conditions: [{ type: 'Ready' }] }, { wokenAt: null }],
  ['everything at first', undefined, { replicas: 0 }, { replicas: 0 }],
  ['a list whole', before, { ...before, conditions: [] }, { conditions: [] }],
])('the patch holds %s', (_name, current, next, want) => {
  expect(statusPatch(current, next)).toEqual(want);
});
