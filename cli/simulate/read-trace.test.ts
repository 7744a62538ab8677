import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readTrace, TraceError } from './read-trace.ts';

const ONE = { functions: ['digits'], only: 'digits' };
const TWO = { functions: ['digits', 'faces'], only: undefined };
const read = (...lines: string[]): unknown =>
  readTrace('a.csv', lines.join('\n'), { ...ONE, serviceMilliseconds: 500 }).get('digits');

describe('a trace', () => {
  test('has a request for each row, in the order of their times', () => {
    expect(read('seconds', '3', '1.5')).toEqual([
      { at: 1.5, serviceSeconds: 0.5 },
      { at: 3, serviceSeconds: 0.5 },
    ]);
  });

  test('can have many in a row, at once or spread, and what each takes; comments, blank lines and line ends are no matter', () => {
    expect(
      read(
        '\uFEFF# a comment\r',
        'requests, seconds,serviceMilliseconds ,overSeconds\r',
        '',
        '2,10,1000,4',
        '2,0,250,0\r',
        '0,0,1,0',
      ),
    ).toEqual([
      { at: 0, serviceSeconds: 0.25 },
      { at: 0, serviceSeconds: 0.25 },
      { at: 10, serviceSeconds: 1 },
      { at: 12, serviceSeconds: 1 },
    ]);
  });
});

describe('a trace of several functions', () => {
  const readTwo = (...lines: string[]): unknown =>
    Object.fromEntries(readTrace('a.csv', lines.join('\n'), { ...TWO, serviceMilliseconds: 500 }));

  test('says whose each request is', () => {
    expect(readTwo('function,seconds', 'faces,2', 'digits,3', 'faces,1')).toEqual({
      digits: [{ at: 3, serviceSeconds: 0.5 }],
      faces: [
        { at: 1, serviceSeconds: 0.5 },
        { at: 2, serviceSeconds: 0.5 },
      ],
    });
  });

  test.each([
    { lines: ['seconds', '1'], says: 'a.csv:1: column function: is missing; each request is of one of digits, faces' },
    {
      lines: ['function,seconds', 'digit,1'],
      says: 'a.csv:2: column function: there is no function "digit"; it must be one of digits, faces',
    },
    {
      lines: ['function,seconds', '__proto__,1'],
      says: 'a.csv:2: column function: there is no function "__proto__"',
    },
    { lines: ['function,seconds,requests', 'digits,1,600000', 'faces,1,600000'], says: 'more than 1000000 requests' },
  ])('or it is refused: $says', ({ lines, says }) => {
    expect(() => readTwo(...lines)).toThrow(says);
  });
});

describe('what is wrong with a trace is said with its line and column', () => {
  test.each<{ lines: string[]; says: string }>([
    {
      lines: ['', '# nothing'],
      says: 'a.csv: holds no row; the first must name columns: seconds, requests, overSeconds, serviceMilliseconds, function',
    },
    {
      lines: ['', 'seconds,second'],
      says: 'a.csv:2: column 2 is "second"; it must be one of seconds, requests, overSeconds, serviceMilliseconds, function',
    },
    { lines: ['seconds,seconds'], says: 'a.csv:1: column seconds: is there twice' },
    { lines: ['requests'], says: 'a.csv:1: column seconds: is missing' },
    { lines: ['seconds,requests', '1'], says: 'a.csv:2: has 1 cells; expected 2: seconds, requests' },
    { lines: ['seconds', '1', 'x'], says: 'a.csv:3: column seconds: must be a number from 0 to 604800, not "x"' },
    { lines: ['seconds', '-1'], says: 'a.csv:2: column seconds: must be a number from 0 to 604800, not "-1"' },
    {
      lines: ['seconds,requests', '1,'],
      says: 'a.csv:2: column requests: must be a whole number from 0 to 1000000, not ""',
    },
    {
      lines: ['seconds,requests', '1,1.5'],
      says: 'a.csv:2: column requests: must be a whole number from 0 to 1000000, not "1.5"',
    },
    {
      lines: ['seconds,overSeconds', '604000,4000'],
      says: 'a.csv:2: column overSeconds: the trace must end within 604800 s, a week',
    },
    {
      lines: ['seconds,requests', '1,1000000', '2,1'],
      says: 'a.csv:3: the trace has more than 1000000 requests; simulate a part of it',
    },
    { lines: ['seconds', 'y'.repeat(99)], says: `not "${'y'.repeat(40)}…"` },
  ])('$says', ({ lines, says }) => {
    expect(() => read(...lines)).toThrow(says);
  });

  test('or that requests need a duration', () => {
    expect(() => readTrace('a.csv', 'seconds\n1', { ...ONE, serviceMilliseconds: undefined })).toThrow(
      'a.csv:1: column serviceMilliseconds: is missing; give it, or --service-milliseconds for all requests',
    );
  });

  test('whatever the file holds', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          readTrace('a.csv', `seconds,requests\n${text}`, { ...ONE, serviceMilliseconds: 1 });
        } catch (error) {
          expect(error).toBeInstanceOf(TraceError);
        }
      }),
    );
  });
});
