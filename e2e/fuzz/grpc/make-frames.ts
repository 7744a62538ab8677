/** Frames of HTTP/2 as no client sends them, around a call or two, from a seed and a number alone. */
import {
  FLAG,
  FRAME,
  frame,
  headerBlock,
  PREFACE,
  type HeaderField,
} from '../../../common/wire/http2-frames.fixture.ts';
import type { Random } from '../random.ts';
import type { Seed } from '../seeds.ts';
import { inference } from './make-call.ts';
import { changeBytes } from './mutate-protobuf.ts';

const FIELDS: readonly HeaderField[] = [
  ['te', 'gzip'], ['connection', 'close'], ['upgrade', 'h2c'], ['transfer-encoding', 'chunked'], ['content-length', '5'], ['content-length', '-1'],
  ['Upper', 'x'], ['', 'x'], ['x', '\0'], ['x', '\r\nx: y'], [':path', '/'], [':authority', 'other'], [':protocol', 'websocket'], [':status', '200'],
  ['host', 'other'], ['x', 'y'.repeat(20_000)], ['cookie', 'a=b'], ['expect', '100-continue'], ['grpc-timeout', '1m'],
]; // prettier-ignore

/** All that the client sends; afterwards it ends its side. */
export function makeFrames(seed: Seed, authority: string, random: Random): Buffer {
  const parts: Buffer[] = [frame(FRAME.settings, 0, 0, random.chance(0.7) ? Buffer.alloc(0) : setting(random))];
  let stream = 1;
  for (let count = 1 + random.below(12); count > 0; count -= 1) {
    parts.push(part(seed, authority, stream, random));
    if (random.chance(0.5)) stream += 2;
  }
  const all = Buffer.concat(parts);
  const frames = random.chance(0.3) ? changeBytes(all, random) : all;
  return random.chance(0.97) ? Buffer.concat([PREFACE, frames]) : changeBytes(Buffer.concat([PREFACE, frames]), random);
}

function part(seed: Seed, authority: string, stream: number, random: Random): Buffer {
  const number = random.pick([0, 1, 1, 100, 65_535, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1]);
  switch (random.below(14)) {
    case 0:
      return frame(FRAME.ping, random.below(2), random.pick([0, stream]), random.bytes(random.pick([8, 8, 0, 9])));
    case 1:
      return frame(FRAME.windowUpdate, 0, random.pick([0, stream, 99]), word(number));
    case 2:
      return frame(FRAME.rstStream, 0, random.pick([0, stream, stream + 20]), word(random.below(16)));
    case 3:
      return frame(FRAME.settings, random.below(2), random.pick([0, 0, stream]), setting(random));
    case 4:
      return frame(FRAME.data, random.below(10), stream, random.bytes(random.below(60)));
    case 5:
      return frame(random.below(256), random.below(256), random.pick([0, stream]), random.bytes(random.below(30)));
    case 6: {
      // A head in pieces.
      const block = head(authority, random);
      const cut = random.below(block.length);
      const rest = Array.from({ length: random.below(12) }, () => frame(FRAME.continuation, 0, stream));
      const last = frame(FRAME.continuation, random.chance(0.8) ? FLAG.endHeaders : 0, stream, block.subarray(cut));
      return Buffer.concat([frame(FRAME.headers, 0, stream, block.subarray(0, cut)), ...rest, last]);
    }
    case 7:
      return Buffer.concat(Array.from({ length: random.below(60) }, () => frame(FRAME.data, 0, stream)));
    default: {
      const message = inference(seed, random);
      const prefix = Buffer.alloc(5);
      prefix.writeUInt32BE(message.length, 1);
      const body = Buffer.concat([prefix, message]);
      const cut = random.below(body.length);
      return Buffer.concat([
        frame(
          FRAME.headers,
          FLAG.endHeaders | (random.chance(0.05) ? FLAG.endStream : 0),
          stream,
          head(authority, random),
        ),
        frame(FRAME.data, 0, stream, body.subarray(0, cut)),
        frame(FRAME.data, random.chance(0.8) ? FLAG.endStream : 0, stream, body.subarray(cut)),
      ]);
    }
  }
}

function head(authority: string, random: Random): Buffer {
  const fields: HeaderField[] = [
    [':method', 'POST'],
    [':scheme', 'http'],
    [':path', '/inference.GRPCInferenceService/ModelInfer'],
    [':authority', authority],
    ['content-type', 'application/grpc'],
    ['te', 'trailers'],
  ];
  if (random.chance(0.1)) fields.splice(random.below(fields.length), 1);
  if (random.chance(0.2)) fields.splice(random.below(fields.length + 1), 0, random.pick(FIELDS));
  // Heads of more than a frame has are those of `continuation`.
  const block = headerBlock(fields).subarray(0, 16_000);
  return random.chance(0.1) ? changeBytes(block, random) : block;
}

function setting(random: Random): Buffer {
  const count = random.pick([1, 1, 2, 40]);
  return Buffer.concat(
    Array.from({ length: count }, () => {
      const bytes = Buffer.alloc(6);
      bytes.writeUInt16BE(random.below(10));
      bytes.writeUInt32BE(random.pick([0, 1, 100, 16_384, 65_535, 2 ** 24, 2 ** 31 - 1, 2 ** 32 - 1]), 2);
      return bytes;
    }),
  ).subarray(0, random.chance(0.9) ? undefined : random.below(6));
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
