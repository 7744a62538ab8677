import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { axis, timeUnit } from './axis.ts';
import { plot } from './plot.ts';

describe('an axis', () => {
  test.each([
    { most: 100, count: 4, ticks: [0, 50, 100] },
    { most: 3, count: 4, least: 1, ticks: [0, 1, 2, 3] },
    { most: 0.7, count: 4, ticks: [0, 0.2, 0.4, 0.6, 0.8] },
    { most: 0, count: 4, least: 1, ticks: [0, 1] },
  ])('up to $most', ({ most, count, least, ticks }) => {
    expect(axis(most, count, least).ticks).toEqual(ticks);
  });

  test('holds every value, has few ticks, and none beyond its end', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e9, noNaN: true }), (most) => {
        const { end, ticks } = axis(most, 5);
        expect(end).toBeGreaterThanOrEqual(most * (1 - 1e-6));
        expect(ticks.length).toBeLessThanOrEqual(7);
        expect(ticks.at(-1)).toBeCloseTo(end, 3);
      }),
    );
  });

  test('of time has the unit that a person would take', () => {
    expect([100, 3600, 86_400].map((seconds) => timeUnit(seconds).name)).toEqual(['s', 'min', 'h']);
  });
});

describe('a picture', () => {
  const series = { label: 'ready', colour: 'blue', kind: 'area' } as const;
  const draw = (values: readonly number[]): string =>
    plot('a <b> & "c"', values.length - 1, [{ title: 'Replicas', unit: 'pods', series: [{ ...series, values }] }]);

  test('says what it shows, in which units, in light and dark', () => {
    const svg = draw([0, 1, 1, 3]);
    for (const text of [
      '>a &lt;b&gt; &amp; &quot;c&quot;<',
      '>Replicas (pods)<',
      '>ready<',
      ' s</text>',
      'prefers-color-scheme: dark',
    ]) {
      expect(svg).toContain(text);
    }
    expect(svg).not.toContain('NaN');
  });

  test('draws a step where a value changes, and nothing where it does not', () => {
    const [, path = ''] = /<path class="area blue" d="(M70[^"]*Z)"/.exec(draw([0, 1, 1, 1, 0])) ?? [];
    expect(path.match(/V/g)).toHaveLength(3);
  });

  test('of a week is no larger than that of a day', () => {
    const wave = (seconds: number): number[] => Array.from({ length: seconds }, (_, at) => at % 7);
    expect(draw(wave(604_800)).length).toBeLessThan(40_000);
  });

  test('of nothing is a picture too', () => {
    expect(plot('nothing', 0, [{ title: 'x', unit: 'y', series: [{ ...series, values: [] }] }])).not.toMatch(
      /NaN|Infinity|undefined/,
    );
  });
});
