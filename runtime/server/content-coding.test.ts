import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { chooseCoding } from './content-coding.ts';

test.each<[header: string | undefined, coding: string | undefined]>([
  [undefined, undefined],
  ['', undefined],
  ['identity', undefined],
  ['br', undefined],
  ['gzip', 'gzip'],
  ['GZIP', 'gzip'],
  ['deflate', 'deflate'],
  ['gzip, deflate, br', 'gzip'],
  ['deflate, gzip', 'gzip'],
  ['gzip;q=0.5, deflate;q=0.8', 'deflate'],
  ['gzip; q=0.5 , deflate ;q=0.2', 'gzip'],
  ['gzip;q=0, deflate;q=0', undefined],
  ['gzip;q=0', undefined],
  ['*', 'gzip'],
  ['gzip;q=0, *', 'deflate'],
  ['identity, gzip;q=0.5', undefined],
  ['identity;q=0.5, gzip;q=0.5', 'gzip'],
  ['identity;q=0, *', 'gzip'],
])('for Accept-Encoding %j the coding is %s', (header, coding) => {
  expect(chooseCoding(header)).toBe(coding);
});

test('no text is anything but a coding or none', () => {
  fc.assert(
    fc.property(fc.string(), (header) => {
      expect(['gzip', 'deflate', undefined]).toContain(chooseCoding(header));
    }),
  );
});
