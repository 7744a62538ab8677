import { describe, expect, test } from '@jest/globals';
import type { DeclaredTensor } from '../model/declared-tensor.ts';
import { findBatchAxis } from './batch-axis.ts';

const tensor = (name: string, ...shape: (number | string)[]): DeclaredTensor => ({ name, datatype: 'FP32', shape });

describe('findBatchAxis', () => {
  test.each([
    ['one input and one output', [tensor('x', 'n', 4)], [tensor('y', 'n', 10)], 'n'],
    ['other free dimensions', [tensor('x', 'n', 'a'), tensor('z', 'n')], [tensor('y', 'n', 'b', 'a')], 'n'],
  ])('accepts %s', (_, inputs, outputs, dimension) => {
    expect(findBatchAxis(inputs, outputs)).toEqual({ batchable: true, dimension });
  });

  test.each([
    ['no inputs', [], [tensor('y', 'n')], 'the model has no inputs'],
    ['a scalar', [tensor('x', 'n'), tensor('rate')], [tensor('y', 'n')], 'input "rate" has no axis 0'],
    ['a fixed axis', [tensor('x', 1, 4)], [tensor('y', 'n', 4)], 'axis 0 of input "x" is fixed at 1'],
    ['a fixed output', [tensor('x', 'n', 4)], [tensor('y', 10)], 'axis 0 of output "y" is fixed at 10'],
    ['an unnamed axis', [tensor('x', '', 4)], [tensor('y', '', 4)], 'axis 0 of input "x" has no name'],
    ['two names', [tensor('x', 'n', 4)], [tensor('y', 'm', 4)], 'axis 0 of output "y" is "m" and not "n"'],
    [
      'the batch on another axis too',
      [tensor('x', 'n', 'n')],
      [tensor('y', 'n')],
      '"n" is axis 1 of input "x" as well',
    ],
    [
      'a voice-activity model, whose state has the batch on axis 1',
      [tensor('input', 'n', 'samples'), tensor('state', 2, 'n', 128), tensor('sr')],
      [tensor('output', 'n', 1), tensor('stateN', '', '', '')],
      'axis 0 of input "state" is fixed at 2',
    ],
  ])('refuses %s and says where', (_, inputs, outputs, reason) => {
    expect(findBatchAxis(inputs, outputs)).toEqual({ batchable: false, reason: expect.stringContaining(reason) });
  });
});
