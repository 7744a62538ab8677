/** One hostile call of gRPC, from a seed and a number alone. */
import { deflateSync, gzipSync } from 'node:zlib';
import type { Tensor } from '../../../runtime/inference.ts';
import { ModelInferRequest } from '../../../runtime/grpc/messages.ts';
import { encodeTypedContents } from '../../../runtime/grpc/typed-contents.ts';
import type { Random } from '../random.ts';
import { tensorBytes, type Seed } from '../seeds.ts';
import { changeBytes, mutateProtobuf } from './mutate-protobuf.ts';

export interface Call {
  /** How it was made, for whoever reads of a failure. */
  readonly kind: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Written one after the other, with a turn of the event loop between. */
  readonly pieces: readonly Buffer[];
  /** What the client does after the last piece. `forget` is a reset without an error, of a stream that may not be read. */
  readonly then: 'end' | 'cancel' | 'forget';
}

const SERVICE = '/inference.GRPCInferenceService/';
const SMALL = [
  'ServerLive',
  'ServerReady',
  'ModelReady',
  'ServerMetadata',
  'ModelMetadata',
  'ModelConfig',
  'ModelStatistics',
  'RepositoryIndex',
];
const OTHERS = [
  '/grpc.health.v1.Health/Check', '/grpc.health.v1.Health/Watch', '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
  '/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo', `${SERVICE}RepositoryModelLoad`, `${SERVICE}Nothing`, `${SERVICE}__proto__`,
  '/', '//', `/${'x'.repeat(2000)}`, '/%', '*',
]; // prettier-ignore
const TIMEOUTS = ['60S', '60S', '1n', '1m', '0S', '99999999H', '-1S', '1', 'x', '', '123456789S'];
const ENCODINGS = ['gzip', 'deflate', 'identity', 'br', 'gzip, gzip', ''];

export function makeCall(seed: Seed, random: Random): Call {
  const path = makePath(random);
  const isStream = path.endsWith('ModelStreamInfer') || path.endsWith('ServerReflectionInfo');
  const count = isStream ? random.below(40) : random.pick([1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 2, 3]);
  const encoding = random.chance(0.15) ? random.pick(ENCODINGS) : undefined;
  const messages = Array.from({ length: count }, () => {
    // On a stream zeros whose length lies are hundreds of thousands of empty messages, each of them answered.
    const isLarge = !isStream && random.chance(0.01);
    const message = isLarge ? Buffer.alloc(random.below(3_000_000)) : makeMessage(seed, path, random);
    return frameOf(message, encoding, random);
  });
  const all = Buffer.concat(messages);
  const body = random.chance(0.05) ? changeBytes(all, random) : all;
  return {
    kind: `${path.slice(0, 80)} of ${count} messages`,
    headers: {
      ':method': random.chance(0.99) ? 'POST' : random.pick(['GET', 'PUT', 'OPTIONS']),
      ':path': path,
      'content-type': random.chance(0.98)
        ? 'application/grpc'
        : random.pick(['application/grpc+proto', 'application/grpc;x', 'application/grpcx', 'text/plain']),
      ...(random.chance(0.95) && { te: 'trailers' }),
      ...(encoding !== undefined && { 'grpc-encoding': encoding }),
      ...(random.chance(0.1) && { 'grpc-timeout': random.pick(TIMEOUTS) }),
      ...(random.chance(0.05) && {
        [random.pick(['constructor', '__proto__', 'x-bin', 'pilotlight-tell-admission', 'expect', 'cookie'])]:
          random.pick(['', 'x', '1', '100-continue', 'y'.repeat(3000)]),
      }),
    },
    pieces: random.chance(0.7) ? [body] : split(body, random),
    then: random.chance(0.86) ? 'end' : random.pick(['cancel', 'forget']),
  };
}

function makePath(random: Random): string {
  const kind = random.below(100);
  if (kind < 75) return `${SERVICE}ModelInfer`;
  if (kind < 87) return `${SERVICE}ModelStreamInfer`;
  return kind < 94 ? SERVICE + random.pick(SMALL) : random.pick(OTHERS);
}

function makeMessage(seed: Seed, path: string, random: Random): Buffer {
  const changes = random.pick([0, 0, 1, 1, 1, 2, 3, 8]);
  if (path.includes('Infer')) return mutateProtobuf(inference(seed, random), random, changes);
  if (path.includes('Reflection'))
    return mutateProtobuf(Buffer.from(random.pick(['3a00', '220178', '1a0178', '2a00']), 'hex'), random, changes);
  // Of a name and a version.
  return mutateProtobuf(Buffer.concat([Buffer.from([10, seed.name.length]), Buffer.from(seed.name)]), random, changes);
}

/** A good one. */
export function inference({ name, inputs, output }: Seed, random: Random): Buffer {
  const isRaw = inputs.some(({ datatype }) => datatype === 'FP16') || random.chance(0.5);
  return ModelInferRequest.encode({
    model_name: name,
    id: 'fuzz',
    inputs: inputs.map((tensor) => ({
      ...ModelInferRequest.zero.inputs[0],
      name: tensor.name,
      datatype: tensor.datatype,
      shape: tensor.shape,
      parameters: new Map(),
      contents: isRaw ? undefined : encodeTypedContents(elements(tensor)),
    })),
    ...(random.chance(0.4) && { outputs: [{ name: output, parameters: new Map() }] }),
    ...(random.chance(0.2) && {
      parameters: new Map([[random.pick(['priority', 'timeout', 'x']), { int64_param: random.pick([0, 1, 5, 1e7]) }]]),
    }),
    ...(isRaw && { raw_input_contents: inputs.map(tensorBytes) }),
  });
}

function elements(tensor: Seed['inputs'][number]): Tensor {
  const { name, shape } = tensor;
  const datatype = tensor.datatype as Tensor['datatype'];
  return { name, shape, datatype, data: tensorBytes(tensor) };
}

/** Sometimes compressed, sometimes wrongly; its length sometimes another. */
function frameOf(message: Buffer, encoding: string | undefined, random: Random): Buffer {
  const compress = encoding === 'deflate' ? deflateSync : gzipSync;
  const isCompressed = encoding !== undefined && random.chance(0.8);
  const bytes = isCompressed ? compress(message) : message;
  const prefix = Buffer.alloc(5);
  prefix[0] = isCompressed ? 1 : 0;
  prefix.writeUInt32BE(bytes.length, 1);
  if (random.chance(0.03)) prefix[0] = random.below(256);
  if (random.chance(0.03))
    prefix.writeUInt32BE(random.pick([0, 1, bytes.length + 1, 100_000, 2 ** 26, 2 ** 31, 2 ** 32 - 1]), 1);
  return Buffer.concat([prefix, bytes]);
}

function split(bytes: Buffer, random: Random): Buffer[] {
  const cuts = Array.from({ length: 1 + random.below(4) }, () => random.below(bytes.length + 1)).sort((a, b) => a - b);
  return [0, ...cuts].map((cut, index) => bytes.subarray(cut, cuts[index] ?? bytes.length));
}
