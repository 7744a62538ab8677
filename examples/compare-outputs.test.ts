import { expect, test } from '@jest/globals';
import { compareOutputs, type JsonTensor } from './compare-outputs.ts';

const label: JsonTensor = { name: 'label', datatype: 'INT64', shape: [2], data: [3, 4] };

test.each([
  { name: 'the same', got: [label], differences: [] },
  { name: 'within tolerance', got: [{ ...label, data: [3.00001, 4] }], differences: [] },
  { name: 'one more output', got: [label, { ...label, name: 'other' }], differences: [] },
  { name: 'no output', got: [], differences: ['output label is missing'] },
  {
    name: 'another shape',
    got: [{ ...label, shape: [2, 1] }],
    differences: ['output label is INT64 [2,1], expected INT64 [2]'],
  },
  { name: 'another value', got: [{ ...label, data: [3, 5] }], differences: ['output label has 5 at 1, expected 4'] },
  {
    name: 'a value too few',
    got: [{ ...label, data: [3] }],
    differences: ['output label has undefined at 1, expected 4'],
  },
])('$name', ({ got, differences }) => {
  expect(compareOutputs({ outputs: got }, { outputs: [label] })).toEqual(differences);
});
