import { expect, test } from '@jest/globals';
import { checkRequest } from './check-request.ts';
import { parseRequest, type ParsedRequest } from './parse-request.ts';

const facts = {
  inputs: [
    { name: 'pixels', datatype: 'FP32', shape: [-1, 2] },
    { name: 'scale', datatype: 'INT64', shape: [] },
  ],
  outputs: [{ name: 'label', datatype: 'INT64', shape: [-1] }],
};
const pixels = { name: 'pixels', datatype: 'FP32', shape: [1, 2], data: [1, 2] };
const scale = { name: 'scale', datatype: 'INT64', shape: [], data: [1] };

function request(inputs: readonly object[], outputs?: readonly object[]): ParsedRequest {
  return parseRequest({}, Buffer.from(JSON.stringify({ inputs, outputs })));
}

test('what suits the model passes, in any order and with any number of rows', () => {
  checkRequest(request([scale, pixels], [{ name: 'label' }]), facts);
  checkRequest(request([{ ...pixels, shape: [0, 2], data: [] }, scale]), facts);
});

test('any shape suits an input that has none', () => {
  const { outputs } = facts;
  for (const shape of [[], [1], [1, 1, 1]]) {
    const any = { name: 'scale', datatype: 'INT64', shape: [], isAnyShape: true };
    checkRequest(request([{ ...scale, shape }]), { inputs: [any], outputs });
  }
});

test.each<[about: string, inputs: object[], outputs: object[] | undefined, says: string]>([
  ['a missing input', [pixels], undefined, 'Input "scale" is missing; the model takes INT64 of shape [].'],
  ['a misspelt input', [{ ...pixels, name: 'pixel' }, scale], undefined, 'no input "pixel"; did you mean "pixels"?'],
  ['a strange input', [pixels, scale, { ...scale, name: 'Q' }], undefined, 'no input "Q"; it has "pixels", "scale"'],
  ['an input twice', [pixels, scale, scale], undefined, 'The input "scale" is given more than once.'],
  ['another datatype', [{ ...pixels, datatype: 'FP64' }, scale], undefined, '"pixels" must be FP32 but is FP64.'],
  [
    'another rank',
    [{ ...pixels, shape: [2] }, scale],
    undefined,
    'must have the shape [-1, 2], -1 being any, but has [2].',
  ],
  ['another dimension', [{ ...pixels, shape: [2, 1] }, scale], undefined, 'but has [2, 1].'],
  ['an unknown output', [pixels, scale], [{ name: 'labels' }], 'no output "labels"; did you mean "label"?'],
  [
    'an output twice',
    [pixels, scale],
    [{ name: 'label' }, { name: 'label' }],
    'The output "label" is given more than once.',
  ],
])('%s is refused with a sentence that names it', (_about, inputs, outputs, says) => {
  // prettier-ignore
  expect(() => checkRequest(request(inputs, outputs), facts)).toThrow(says);
});

test('of a hundred thousand inputs the first that is too many ends the look at them', () => {
  const inputs = [pixels, scale, ...Array.from({ length: 100_000 }, () => scale)];
  expect(() => checkRequest(request(inputs), facts)).toThrow('The input "scale" is given more than once.');
});
