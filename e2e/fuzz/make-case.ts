/** One hostile exchange with the server, from a seed and a number alone: what is sent, in which pieces, and what may be expected of the answers. */
import { deflateSync, gzipSync } from 'node:zlib';
import { mutateDocument } from './mutate-document.ts';
import type { Random } from './random.ts';
import { tensorBytes, type Seed, type SeedTensor } from './seeds.ts';

export interface Case {
  /** How it was made, for whoever reads of a failure. */
  readonly kind: string;
  /** Written one after the other, with a turn of the event loop between. */
  readonly pieces: readonly Buffer[];
  /** Methods of the requests that must be answered; fewer only if the connection is closed by an answer. Undefined: any number of answers. */
  readonly answers: readonly string[] | undefined;
  /** What the client does after the last piece: waits for answers, ends its side, or breaks the connection off. */
  readonly then: 'wait' | 'end' | 'reset';
}

interface Message {
  readonly method: string;
  readonly path: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Buffer;
}

const MANY = 300;

const LENGTH = 'Inference-Header-Content-Length';

export function makeCase(seed: Seed, random: Random): Case {
  const message = makeMessage(seed, random);
  const kind = random.below(20);
  // How long an answer is depends on the method, so that where any number of answers may come, all must have a body.
  const any = message.method === 'HEAD' ? { ...message, method: 'GET' } : message;
  switch (kind) {
    case 0: {
      const others = Array.from({ length: 1 + random.below(4) }, () => makeMessage(seed, random));
      const all = [message, ...others];
      return {
        kind: 'pipelined',
        pieces: [Buffer.concat(all.map(framed))],
        answers: all.map(({ method }) => method),
        then: 'wait',
      };
    }
    case 1:
    case 2:
      return { kind: 'chunked', pieces: chunked(message, random), answers: [message.method], then: 'wait' };
    case 3:
      return { kind: 'in pieces', pieces: split(framed(message), random), answers: [message.method], then: 'wait' };
    case 4:
      return {
        kind: 'bytes changed anywhere',
        pieces: [changeBytes(framed(any), random)],
        answers: undefined,
        then: 'end',
      };
    case 5: {
      const whole = framed(any);
      const pieces = [whole.subarray(0, random.below(whole.length))];
      return { kind: 'broken off', pieces, answers: undefined, then: random.chance(0.5) ? 'end' : 'reset' };
    }
    case 6:
      return { kind: 'headers changed', pieces: [changeHeaders(any, random)], answers: undefined, then: 'end' };
    case 7:
      return random.chance(0.2)
        ? { kind: 'noise', pieces: [random.bytes(random.below(400))], answers: undefined, then: 'end' }
        : { kind: 'wrong chunks', pieces: wrongChunks(any, random), answers: undefined, then: 'end' };
    default:
      return { kind: 'request', pieces: [framed(message)], answers: [message.method], then: 'wait' };
  }
}

/** A request that HTTP finds nothing wrong with; what it asks for may be anything. */
function makeMessage(seed: Seed, random: Random): Message {
  if (random.chance(0.04)) return makeOtherPath(seed, random);
  const binary = random.chance(0.5);
  // Of the size from which answers are compressed, for those models whose rows are free.
  const isLarge = random.chance(0.02);
  const tensors = isLarge ? seed.inputs.map(manyRows) : seed.inputs;
  const inputs = tensors.map((tensor) => {
    const { name, datatype, shape, data } = tensor;
    return binary
      ? { name, datatype, shape, parameters: { binary_data_size: tensorBytes(tensor).length } }
      : { name, datatype, shape, data };
  });
  const document = {
    id: 'fuzz',
    inputs,
    ...(random.chance(0.4) && { outputs: [{ name: seed.output, parameters: { binary_data: random.chance(0.5) } }] }),
    ...(random.chance(0.4) && { parameters: { binary_data_output: random.chance(0.5) } }),
  };
  const text = mutateDocument(document, random, random.pick([0, 0, 1, 1, 1, 2, 3, 8]));
  let json: Buffer = Buffer.from(text);
  if (random.chance(0.1)) json = changeBytes(json, random);
  const blobs = Buffer.concat(tensors.map(tensorBytes));
  const headers: [string, string][] = [];
  if (isLarge) headers.push(['Accept-Encoding', random.pick(['gzip', 'deflate'])]);
  let body = json;
  if (binary) {
    headers.push([
      LENGTH,
      random.chance(0.9) ? String(json.length) : random.pick(['0', '-1', '1', '1e3', '99999999999', '', 'x']),
    ]);
    body = Buffer.concat([json, random.chance(0.8) ? blobs : changeBytes(blobs, random)]);
  }
  return encoded({ method: 'POST', path: `/v2/models/${seed.name}/infer`, headers, body }, random);
}

function manyRows(tensor: SeedTensor): SeedTensor {
  const [rows, ...row] = tensor.shape;
  if (rows === undefined) return tensor;
  const data = Array.from({ length: MANY }, () => tensor.data).flat();
  return { ...tensor, shape: [rows * MANY, ...row], data };
}

function makeOtherPath({ name }: Seed, random: Random): Message {
  const model = `/v2/models/${name}`;
  const paths = [
    '/', '/v2', '/v2/', '/v2/health/live', '/v2/health/ready', model, `${model}/ready`, `${model}/config`, `${model}/stats`, `${model}/versions/1`,
    `${model}/versions/2/infer`, '/v2/models/stats', '/v2/repository/index', `/v2/repository/models/${name}/load`, '/openapi.json', '//', '/%', '/%00',
    '/%c0%ae', '/..%2f..', '/v2/models/../../x', `/v2/models/${'x'.repeat(2000)}/infer`, '/v2/models/__proto__/infer', '/?x=%', '*', 'http://[::1',
  ]; // prettier-ignore
  const method = random.pick(['GET', 'GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']);
  const body =
    method === 'GET' || method === 'HEAD'
      ? Buffer.alloc(0)
      : Buffer.from(random.pick(['', '{}', '{"ready":true}', '[', 'null']));
  return { method, path: random.pick(paths), headers: [], body };
}

/** Sometimes compressed, sometimes wrongly. */
function encoded(message: Message, random: Random): Message {
  const headers = [...message.headers];
  if (random.chance(0.1))
    headers.push([
      'Accept-Encoding',
      random.pick(['gzip', 'deflate', 'gzip;q=0, deflate', '*', 'br', ';;;', 'gzip, gzip']),
    ]);
  if (!random.chance(0.1)) return { ...message, headers };
  const compress = random.pick([gzipSync, deflateSync]);
  const honest = compress === gzipSync ? 'gzip' : 'deflate';
  headers.push([
    'Content-Encoding',
    random.pick([honest, honest, honest, 'gzip', 'deflate', 'br', 'identity', 'gzip, gzip']),
  ]);
  const body = compress(message.body);
  return { ...message, headers, body: random.chance(0.3) ? changeBytes(body, random) : body };
}

function head({ method, path, headers }: Message, extra: readonly string[]): string {
  const lines = headers.map(([name, value]) => `${name}: ${value}`);
  return [`${method} ${path} HTTP/1.1`, 'Host: fuzz', ...lines, ...extra, '', ''].join('\r\n');
}

function framed(message: Message): Buffer {
  return Buffer.concat([Buffer.from(head(message, [`Content-Length: ${message.body.length}`])), message.body]);
}

function chunked(message: Message, random: Random): Buffer[] {
  const pieces = split(message.body, random).filter(({ length }) => length > 0);
  const chunks = pieces.map((piece) =>
    Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')]),
  );
  return [Buffer.from(head(message, ['Transfer-Encoding: chunked'])), ...chunks, Buffer.from('0\r\n\r\n')];
}

function wrongChunks(message: Message, random: Random): Buffer[] {
  const size = random.pick(['-1', 'zz', 'ffffffffffffffffff', '5;a=b', ' 5', '0x5', '', '7fffffff']);
  return [Buffer.from(head(message, ['Transfer-Encoding: chunked'])), Buffer.from(`${size}\r\n`), message.body];
}

function changeHeaders(message: Message, random: Random): Buffer {
  const line = random.pick([
    'Content-Length: 5', 'Content-Length: -1', 'Content-Length: 99999999999999999999', 'Content-Length: 5\r\nContent-Length: 6',
    'Content-Length: 10\r\nTransfer-Encoding: chunked', 'Transfer-Encoding: gzip, chunked', 'Transfer-Encoding: identity', 'Expect: 100-continue',
    'Expect: nothing', 'Connection: upgrade\r\nUpgrade: h2c', 'Upgrade: websocket', 'Connection: close', `X: ${'y'.repeat(40_000)}`, 'X\u0000: y', ': y',
    'no colon', ' folded: x', `${LENGTH}: 5\r\n${LENGTH}: 6`, 'pilotlight-timeout-ms: 0', 'pilotlight-timeout-ms: x', 'pilotlight-concurrency-limit: 0',
    `Content-Encoding: gzip\r\nContent-Length: ${message.body.length}`,
  ]); // prettier-ignore
  return Buffer.concat([Buffer.from(head(message, [line])), message.body]);
}

function split(bytes: Buffer, random: Random): Buffer[] {
  const cuts = Array.from({ length: 1 + random.below(4) }, () => random.below(bytes.length + 1)).sort((a, b) => a - b);
  return [0, ...cuts].map((cut, index) => bytes.subarray(cut, cuts[index] ?? bytes.length));
}

/** Some bytes overwritten, removed or put in. */
function changeBytes(bytes: Buffer, random: Random): Buffer {
  let changed = Buffer.from(bytes);
  for (let change = 1 + random.below(4); change > 0; change -= 1) {
    const at = random.below(changed.length + 1);
    const before = changed.subarray(0, at);
    switch (random.below(3)) {
      case 0:
        changed = Buffer.concat([before, random.bytes(1), changed.subarray(at + 1)]);
        break;
      case 1:
        changed = Buffer.concat([before, changed.subarray(at + 1 + random.below(20))]);
        break;
      default:
        changed = Buffer.concat([before, random.bytes(1 + random.below(20)), changed.subarray(at)]);
    }
  }
  return changed;
}
