import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { bodyDecoder } from './body-decoder.ts';
import { bodyFraming, parseResponseHead, type BodyFraming } from './response-head.ts';

/** What comes of the bytes, given in pieces of these sizes, and whether the body has ended. */
function decode(framing: BodyFraming, bytes: Buffer, sizes: readonly number[]): { body: string; isWhole: boolean } {
  const chunks: Buffer[] = [];
  const decoder = bodyDecoder(framing, (view) => chunks.push(Buffer.from(view)));
  let isWhole = false;
  for (let position = 0, piece = 0; position < bytes.byteLength; piece += 1) {
    const end = position + (sizes[piece % sizes.length] ?? 1);
    isWhole = decoder.push(bytes.subarray(position, end));
    position = end;
  }
  return { body: Buffer.concat(chunks).toString('latin1'), isWhole };
}

const pieces = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 });

test('chunks come out as they went in, wherever the connection cuts them', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ minLength: 1, maxLength: 20, unit: 'binary-ascii' }), { maxLength: 6 }),
      pieces,
      (texts, sizes) => {
        const chunks = texts.map((text) => `${text.length.toString(16)};x=1\r\n${text}\r\n`);
        const bytes = Buffer.from(`${chunks.join('')}0\r\ntrailer: x\r\n\r\n`, 'latin1');
        expect(decode({ kind: 'chunked' }, bytes, sizes)).toEqual({ body: texts.join(''), isWhole: true });
        if (bytes.byteLength > 1) expect(decode({ kind: 'chunked' }, bytes.subarray(0, -1), sizes).isWhole).toBe(false);
      },
    ),
  );
});

test('a body of a length ends there, and takes no more', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, unit: 'binary-ascii' }), pieces, (text, sizes) => {
      const framing: BodyFraming = { kind: 'length', bytes: text.length };
      expect(decode(framing, Buffer.from(text, 'latin1'), sizes)).toEqual({ body: text, isWhole: true });
      expect(() => decode(framing, Buffer.from(`${text}x`, 'latin1'), [text.length + 1])).toThrow(
        /more than it announced/,
      );
    }),
  );
});

test.each(['x\r\n', '-1\r\n', '5\nhello\r\n', '5\r\nhelloworld\r\n', '1234567890abc\r\n', `1;${'x'.repeat(5000)}\r\n`])(
  '%j is no chunk',
  (text) => {
    expect(() => decode({ kind: 'chunked' }, Buffer.from(text), [7])).toThrow(/a chunk that is none/);
  },
);

test('whatever comes, it ends with an error or without', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), pieces, (bytes, sizes) => {
      try {
        expect(decode({ kind: 'chunked' }, Buffer.from(bytes), sizes).body.length).toBeLessThanOrEqual(
          bytes.byteLength,
        );
      } catch (error) {
        expect(error).toMatchObject({ name: 'HttpProtocolError' });
      }
    }),
  );
});

test.each<[string, Record<string, unknown>]>([
  [
    'HTTP/1.1 200 OK\r\nETag: "a"\r\nX:  b \r\nx: c',
    { status: 200, keepAlive: true, headers: { etag: '"a"', x: 'b, c' } },
  ],
  ['HTTP/1.0 404 ', { status: 404, keepAlive: false }],
  ['HTTP/1.1 200\r\nConnection: Close', { status: 200, keepAlive: false }],
])('the head %j is read', (text, head) => {
  expect(parseResponseHead(text)).toMatchObject(head);
});

test.each([
  'HTTP/2 200',
  'HTTP/1.1 20',
  'HTTP/1.1 200 OK\r\n folded',
  'HTTP/1.1 200 OK\r\nno colon',
  'HTTP/1.1 200 OK\r\na b: c',
])('the head %j is none', (text) => {
  expect(() => parseResponseHead(text)).toThrow();
});

test.each([
  ['content-length: 1\r\ncontent-length: 2'],
  ['content-length: -1'],
  ['transfer-encoding: gzip, chunked'],
  ['transfer-encoding: chunked\r\ncontent-length: 1'],
])('a body framed by %j could be read in two ways', (fields) => {
  expect(() => bodyFraming(parseResponseHead(`HTTP/1.1 200 OK\r\n${fields}`))).toThrow();
});
