import { expect, test } from '@jest/globals';
import { parseGrpcTimeout } from './grpc-timeout.ts';
import { encodeStatusMessage } from './status.ts';

test.each([
  ['5S', 5_000],
  ['100m', 100],
  ['2H', 7_200_000],
  ['1M', 60_000],
  ['1500u', 1.5],
  ['99999999n', 99.999999],
  ['0S', 0],
  ['123456789m', undefined],
  ['5', undefined],
  ['S', undefined],
  ['-5S', undefined],
  [undefined, undefined],
])('the timeout %s is %s ms', (header, milliseconds) => {
  const parsed = parseGrpcTimeout(header);
  expect(parsed === undefined ? undefined : Math.round(parsed * 1e6) / 1e6).toBe(milliseconds);
});

test('a message keeps what trailers may carry and encodes the rest', () => {
  expect(encodeStatusMessage('Model "x" lasts 5 % – too long\n')).toBe('Model "x" lasts 5 %25 %E2%80%93 too long%0A');
});
