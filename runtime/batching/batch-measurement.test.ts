import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { BatchMeasurement } from './batch-measurement.ts';

/** Runs it against a model that takes so many milliseconds for so many rows. */
function measure(milliseconds: (rows: number, run: number) => number, maxBatchSize = 32) {
  const measurement = new BatchMeasurement(maxBatchSize);
  const runs: number[] = [];
  for (let rows = measurement.next; rows !== undefined; rows = measurement.next) {
    runs.push(rows);
    measurement.record(milliseconds(rows, runs.length));
    if (runs.length > 1000) throw new Error('It never ends.');
  }
  return { runs, ...measurement.decide('Batching is on.') };
}

const dense = (rows: number): number => 3 + 0.03 * rows;
const convolution = (rows: number): number => 1.4 * rows ** 1.05;

describe('a measurement of batches', () => {
  test('allows what pays, up to the size beyond which there is nothing to gain', () => {
    const { enabled, maxBatchSize, reason, runs } = measure(dense);
    expect({ enabled, maxBatchSize }).toEqual({ enabled: true, maxBatchSize: 32 });
    expect(reason).toBe(
      'Batching is on. It pays up to 32 rows a run, by rows a second for rows a run (1: 330, 2: 654, 4: 1280, 8: 2470, 16: 4600, 32: 8080).',
    );
    expect(runs.slice(0, 7)).toEqual([1, 2, 4, 8, 16, 32, 1]);
    expect(measure((rows) => Math.max(8, rows)).maxBatchSize).toBe(8);
  });

  test('turns off what does not pay, and says by how much', () => {
    expect(measure(convolution)).toMatchObject({
      enabled: false,
      maxBatchSize: 1,
      reason: expect.stringContaining('it does not pay, by rows a second for rows a run (1: 714, 2: 690'),
    });
    // Up to a quarter more is what two measurements of the same may differ by.
    expect(measure((rows) => rows * (rows === 1 ? 1.24 : 1)).enabled).toBe(false);
    expect(measure((rows) => rows * (rows === 1 ? 1.26 : 1)).maxBatchSize).toBe(2);
  });

  test('measures the largest size that is allowed, whatever it is', () => {
    expect(new Set(measure(dense, 24).runs)).toEqual(new Set([1, 2, 4, 8, 16, 24]));
    expect(measure(dense, 2).maxBatchSize).toBe(2);
  });

  test('does not count the first run of a size', () => {
    expect(measure((rows, run) => (run <= 6 ? 100 / rows : dense(rows))).maxBatchSize).toBe(32);
  });

  test('makes nobody wait long for a slow model, yet sees two rows', () => {
    const slow = measure((rows) => 100 * rows);
    expect(Math.max(...slow.runs)).toBe(2);
    expect(slow.runs).toHaveLength(2 * 4);
    expect(slow.enabled).toBe(false);
    const slower = measure((rows) => 600 * rows);
    expect(slower.runs.every((rows) => rows === 1)).toBe(true);
    // Nobody knows whether 32 rows take 0.6 s or 19.
    expect(slower).toMatchObject({
      enabled: false,
      maxBatchSize: 1,
      reason:
        'Batching is off: nobody measured whether it pays, as two rows together might take 1200 ms, for which a request would have to wait. ' +
        'Set batching.mode to On if it does.',
      measured: [{ rows: 1, rowsPerSecond: expect.closeTo(1.67) }],
    });
  });

  test('leaves out sizes for which inputs cannot be made up', () => {
    const measurement = new BatchMeasurement(8);
    measurement.record(1);
    measurement.record(1.1);
    measurement.record(1.2);
    measurement.stop();
    while (measurement.next !== undefined) measurement.record(measurement.next === 1 ? 1 : 1.2);
    expect(measurement.decide('').measured?.map(({ rows }) => rows)).toEqual([1, 2, 4]);
  });

  test.each([1, 2])('is off if runs of %i made-up rows cannot be made', (rows) => {
    const measurement = new BatchMeasurement(8);
    while (measurement.next !== undefined) {
      if (measurement.next < rows) measurement.record(1);
      else measurement.stop();
    }
    expect(measurement.decide('')).toMatchObject({
      enabled: false,
      maxBatchSize: 1,
      reason: expect.stringContaining('nobody measured whether it pays, as no two made-up rows could be run'),
    });
  });

  test('is not moved by single runs that were disturbed', () => {
    const disturbance = fc.record({
      round: fc.integer({ min: 1, max: 5 }),
      factor: fc.double({ min: 1, max: 50, noNaN: true }),
    });
    fc.assert(
      fc.property(disturbance, fc.constantFrom(dense, convolution), ({ round, factor }, model) => {
        const disturbed = measure((rows, run) => model(rows) * (Math.floor((run - 1) / 6) === round ? factor : 1));
        const quiet = measure(model);
        expect([disturbed.enabled, disturbed.maxBatchSize]).toEqual([quiet.enabled, quiet.maxBatchSize]);
      }),
    );
  });
});
