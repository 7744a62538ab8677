import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { TERMINATION_MESSAGE_BYTES } from '../common/wire/runtime-environment.ts';
import { startFailureText } from './start-failure.ts';

test('is JSON that the kubelet keeps whole, whatever the message', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), fc.nat(100), (text, times) => {
      const written = startFailureText({ reason: 'ModelInvalid', message: text.repeat(times) });
      expect(Buffer.byteLength(written)).toBeLessThanOrEqual(TERMINATION_MESSAGE_BYTES);
      expect(JSON.parse(written)).toHaveProperty('reason', 'ModelInvalid');
    }),
  );
});

test('keeps a short message as it is', () => {
  expect(startFailureText({ reason: 'ModelNotFound', message: 'Gone.' })).toBe(
    '{"reason":"ModelNotFound","message":"Gone."}',
  );
});
