import { expect, test } from '@jest/globals';
import { encodeGrpcMessage, formatGrpcTimeout, httpStatus, isGrpcType, parseGrpcTimeout } from './grpc.ts';

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
  expect(encodeGrpcMessage('Model "x" lasts 5 % – too long\n\ud800')).toBe(
    'Model "x" lasts 5 %25 %E2%80%93 too long%0A%EF%BF%BD',
  );
});

test.each([
  [0, '1m'],
  [1_500.2, '1501m'],
  [1e12, '99999999m'],
])('%s ms are written as %s', (milliseconds, header) => {
  expect(formatGrpcTimeout(milliseconds)).toBe(header);
});

test.each([
  ['application/grpc', true],
  ['application/grpc+proto', true],
  ['application/grpc; charset=x', true],
  ['application/grpc-web', false],
  ['application/json', false],
  [undefined, false],
])('%s is gRPC: %s', (type, expected) => {
  expect(isGrpcType(type)).toBe(expected);
});

test.each([
  ['0', 200],
  ['5', 404],
  ['14', 503],
  ['99', 500],
  [undefined, 500],
])('the status %s is %s in HTTP', (status, expected) => {
  expect(httpStatus(status)).toBe(expected);
});
