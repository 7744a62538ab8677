import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { MessageReader } from './message-reader.ts';

function framed(bytes: Uint8Array, compressed: boolean): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = compressed ? 1 : 0;
  prefix.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([prefix, bytes]);
}

test('messages come out as they went in, however they are cut, and stop where there is no room for more', () => {
  const given = fc.array(fc.tuple(fc.uint8Array({ maxLength: 50 }), fc.boolean()), { maxLength: 5 });
  fc.assert(
    fc.property(given, fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1 }), (messages, cuts) => {
      const out: [number[], boolean][] = [];
      const lengths: number[] = [];
      const reader = new MessageReader(50, {
        begun: (length) => lengths.push(length),
        complete: ({ bytes, compressed }) => out.push([[...bytes], compressed]) % 2 === 0,
      });
      const all = Buffer.concat(messages.map(([bytes, compressed]) => framed(bytes, compressed)));
      for (let at = 0, turn = 0; at < all.length; turn += 1) {
        const cut = cuts[turn % cuts.length] ?? 1;
        for (let rest: Buffer | undefined = all.subarray(at, at + cut); rest !== undefined;) rest = reader.push(rest);
        at += cut;
      }
      expect(out).toEqual(messages.map(([bytes, compressed]) => [[...bytes], compressed]));
      expect(lengths).toEqual(messages.map(([bytes]) => bytes.length));
      expect(reader.isBetween).toBe(true);
    }),
  );
});

test.each([
  ['begins with another byte', Buffer.from('0200000000', 'hex'), 'not gRPC'],
  ['is longer than the limit', Buffer.from('0000000033', 'hex'), '51 bytes; 50 are taken'],
])('what %s is refused before any of it is kept', (_what, bytes, reason) => {
  const reader = new MessageReader(50, { begun: () => undefined, complete: () => true });
  expect(() => reader.push(bytes)).toThrow(reason);
});
