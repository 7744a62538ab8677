import { describe, expect, test } from '@jest/globals';
import { errorFromResponse, errorFromStatus } from './status-error.ts';

function refusal(status: number, body: string | object, retryAfter?: string): object {
  const text = typeof body === 'string' ? body : JSON.stringify({ kind: 'Status', status: 'Failure', ...body });
  const { reason, message, causes, retryAfterSeconds } = errorFromResponse('get Pod a/b', {
    status,
    retryAfter,
    body: text,
  });
  return { reason, message, causes, retryAfterSeconds };
}

describe('the reason', () => {
  test.each([
    ['NotFound', 404, { reason: 'NotFound', details: { name: 'b' } }],
    ['AlreadyExists', 409, { reason: 'AlreadyExists' }],
    ['Conflict', 409, { reason: 'Conflict' }],
    ['Conflict', 409, 'from a proxy'],
    ['Invalid', 422, { reason: 'Invalid' }],
    ['Invalid', 400, { reason: 'BadRequest' }],
    ['Forbidden', 403, { reason: 'Forbidden' }],
    ['TooManyRequests', 429, 'Too many requests, please try again later.'],
    ['Unavailable', 401, { reason: 'Unauthorized' }],
    ['Unavailable', 410, { reason: 'Expired' }],
    ['Unavailable', 500, { reason: 'InternalError' }],
    ['Unavailable', 503, '<html>'],
    ['Unavailable', 504, { reason: 'Timeout' }],
    ['Unavailable', 502, 'null'],
  ])('is %s for a %i %p', (reason, status, body) => {
    expect(refusal(status, body)).toMatchObject({ reason });
  });
});

test('a resource that the server does not serve is not an object that is gone', () => {
  const want = { reason: 'Unavailable', message: expect.stringContaining('install its CRD') };
  expect(refusal(404, '404 page not found\n')).toMatchObject(want);
  expect(refusal(404, { reason: 'NotFound', details: {} })).toMatchObject(want);
});

test('names what was done, what the server said, and each wrong field', () => {
  const body = {
    reason: 'Invalid',
    message: 'ModelFunction "b" is invalid',
    details: { name: 'b', causes: [{ reason: 'FieldValueInvalid', field: 'spec.x', message: 'too small' }, {}] },
  };
  expect(refusal(422, body)).toMatchObject({
    message: 'get Pod a/b: ModelFunction "b" is invalid',
    causes: [
      { field: 'spec.x', message: 'too small' },
      { field: '', message: '' },
    ],
  });
});

test('cuts an endless message', () => {
  expect(
    errorFromResponse('get', { status: 500, retryAfter: undefined, body: 'x'.repeat(100_000) }).message.length,
  ).toBeLessThan(5000);
});

test.each([
  ['the header', '7', {}, 7],
  ['the status', undefined, { details: { retryAfterSeconds: 3 } }, 3],
  ['neither', undefined, {}, undefined],
  ['a date, which nobody sends', 'Wed, 21 Oct 2026 07:28:00 GMT', {}, undefined],
])('takes the time to wait from %s', (_name, header, body, want) => {
  expect(refusal(429, body, header)).toMatchObject({ retryAfterSeconds: want });
});

test.each([[undefined], [null], ['text'], [7], [{}]])('an ERROR event may hold anything: %p', (value) => {
  expect(errorFromStatus('watch', value)).toMatchObject({ reason: 'Unavailable', status: 500 });
});
