/** Frames of HTTP/2 (RFC 9113 §4.1), for tests that send what Node's own client and server would not. */

export const FRAME = {
  data: 0,
  headers: 1,
  rstStream: 3,
  settings: 4,
  ping: 6,
  windowUpdate: 8,
  continuation: 9,
} as const;
export const FLAG = { acknowledge: 1, endStream: 1, endHeaders: 4 } as const;

export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

export type HeaderField = readonly [name: string, value: string];

export function frame(type: number, flags: number, stream: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** HPACK without its tables (RFC 7541 §6.2.2): each field as it is, one byte a character. */
export function headerBlock(fields: readonly HeaderField[]): Buffer {
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.from([0]), ...literal(name), ...literal(value)]));
}

/** Length and text; a length that needs more than seven bits goes on in the next bytes. */
function literal(text: string): Buffer[] {
  const length: number[] = [Math.min(text.length, 127)];
  for (let left = text.length - 127; left >= 0; left = Math.floor(left / 128)) {
    length.push(left < 128 ? left : (left % 128) | 128);
    if (left < 128) break;
  }
  return [Buffer.from(length), Buffer.from(text, 'latin1')];
}
