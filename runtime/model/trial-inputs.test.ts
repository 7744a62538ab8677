import { describe, expect, test } from '@jest/globals';
import { DATATYPE_BYTES, type Datatype } from '../inference.ts';
import { cutRows } from '../batching/split-outputs.ts';
import { typedElements, type FixedDatatype } from '../protocol/element-types.ts';
import { makeTrialInputs, TRIALS } from './trial-inputs.ts';

const datatypes = Object.keys(DATATYPE_BYTES) as Datatype[];

describe('makeTrialInputs', () => {
  test.each(datatypes)('makes the same %s each time, with rows that differ', (datatype) => {
    for (const trial of TRIALS) {
      const make = () => makeTrialInputs([{ name: 'x', datatype, shape: ['n', 'a'] }], trial, 3, 'n');
      const [tensor] = make() ?? [];
      expect(tensor?.shape).toEqual([3, trial.freeSize]);
      expect(make()).toEqual([tensor]);
      const rows = [0, 1, 2].map((row) => String(cutRows(tensor!, [1, 1, 1])?.[row]?.data));
      expect(rows[1]).not.toBe(rows[0]);
      expect(rows[1]).not.toBe(rows[2]);
    }
  });

  test.each<FixedDatatype>(['FP16', 'FP32', 'FP64', 'UINT8', 'INT64'])('makes %s rows of other ranges', (datatype) => {
    const [tensor] = makeTrialInputs([{ name: 'x', datatype, shape: ['n', 500] }], TRIALS[0]!, 3, 'n') ?? [];
    const ranges = [0, 1, 2].map((row) => {
      const bytes = Uint8Array.from(cutRows(tensor!, [1, 1, 1])![row]!.data);
      const numbers = Array.from(typedElements(datatype, bytes), Number);
      return [Math.min(...numbers), Math.max(...numbers)];
    });
    const isFloat = datatype.startsWith('FP');
    expect(ranges.map(([least = NaN, most = NaN]) => most - least)).toEqual(
      isFloat ? [14 / 15, 7 / 15, 0.5].map((range) => expect.closeTo(range, 2)) : [15, 7, 3],
    );
    if (!isFloat) return;
    expect(ranges[0]![0]).toBeGreaterThan(0);
    expect(ranges[1]![1]).toBeLessThan(0);
  });

  test('makes scalars and empty tensors', () => {
    const [scalar, empty] =
      makeTrialInputs(
        [
          { name: 'a', datatype: 'INT64', shape: [] },
          { name: 'b', datatype: 'FP32', shape: ['n', 0] },
        ],
        TRIALS[0]!,
        3,
        'n',
      ) ?? [];
    expect(scalar?.data).toHaveLength(8);
    expect(empty).toMatchObject({ shape: [3, 0], data: new Uint8Array(0) });
  });

  test('gives up guesses that would not fit into memory, but not what the model itself declares', () => {
    expect(
      makeTrialInputs(
        [{ name: 'x', datatype: 'FP32', shape: ['a', 'b', 'c'] }],
        { freeSize: 512, limit: 2 },
        1,
        undefined,
      ),
    ).toBeUndefined();
    const declared = { name: 'x', datatype: 'UINT8', shape: ['n', 5000, 5000] } as const;
    expect(makeTrialInputs([declared], TRIALS[0]!, 1, 'n')?.[0]?.data).toHaveLength(25_000_000);
    expect(makeTrialInputs([declared], TRIALS[0]!, 1, 'n', 24_999_999)).toBeUndefined();
  });

  test('does not make what no request could bring', () => {
    for (const shape of [
      ['n', 2 ** 30],
      ['n', 2 ** 40, 2 ** 40],
    ]) {
      expect(makeTrialInputs([{ name: 'x', datatype: 'FP32', shape }], TRIALS[0]!, 1, 'n')).toBeUndefined();
    }
  });
});
