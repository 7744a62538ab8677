/**
 * The thread of one inference session. ONNX Runtime runs synchronously on the thread that calls it, so a run here leaves the server's thread free.
 * Messages are answered one after the other; ending the thread from outside during a run would abort the process (Napi::Error), so `close` waits
 * its turn like every other message.
 */
// The bundle's banner declares createRequire as well.
import { createRequire as makeRequire } from 'node:module';
import { parentPort } from 'node:worker_threads';
import { env, InferenceSession } from 'onnxruntime-node';
import { systemClock } from '../../common/platform/clock.ts';
import { freeMemory } from '../../common/platform/free-memory.ts';
import { errorText } from '../delivery/node-error.ts';
import type { ValueMetadata } from './declared-tensor.ts';
import { describeError } from './describe-error.ts';
import { runtimeProvider, type ExecutionProvider } from './execution-providers.ts';
import { fromValue, toFeed } from './feeds.ts';
import { sessionOptions } from './session-options.ts';
import type {
  FromWorker,
  MissingProvider,
  SessionFacts,
  SessionResult,
  SessionTensor,
  ToWorker,
} from './session-worker.ts';

/** y = x + x on one float: the smallest model, to find out whether a provider works before the real model has arrived. */
const PROBE = Buffer.from(
  'CAg6OQoOCgF4CgF4EgF5IgNBZGQSBXByb2JlWg8KAXgSCgoICAESBAoCCAFiDwoBeRIKCggIARIECgIIAUIECgAQEQ==',
  'base64',
);

if (parentPort === null) throw new Error('This file is the body of a worker thread, not a program.');
const port = parentPort;

// Errors arrive as exceptions; without this they are printed on stderr as well, in colour.
env.logLevel = 'fatal';

let session: InferenceSession | undefined;
let turn: Promise<void> = Promise.resolve();

port.on('message', (message: ToWorker) => {
  turn = turn.then(() => handle(message));
});

async function handle(message: ToWorker): Promise<void> {
  try {
    switch (message.kind) {
      case 'prepare':
        return answer({
          kind: 'prepared',
          ...(await probe(message.executionProviders)),
          version: env.versions.node ?? env.versions.common,
        });
      case 'create':
        return answer({ kind: 'created', facts: await create(message.path, sessionOptions(message.options)) });
      case 'run': {
        const result = await run(message.inputs, message.outputs).finally(() => {
          const [buffer] = message.inputs.map(({ data }) => data.buffer);
          if (buffer !== undefined) freeMemory(new Uint8Array(buffer));
        });
        return answer({ kind: 'result', result }, [...new Set(result.outputs.map(({ data }) => data.buffer))]);
      }
      case 'close':
        await session?.release();
        port.close();
    }
  } catch (error) {
    answer({ kind: 'failed', message: describeError(error) });
  }
}

function answer(message: FromWorker, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer);
}

/**
 * ONNX Runtime throws for a provider whose libraries or device are missing, even where CPU follows it in the list; so each is tried alone. The first
 * session also sets its environment up (20 ms), while the model is still being fetched.
 */
async function probe(
  wanted: readonly ExecutionProvider[],
): Promise<{ available: ExecutionProvider[]; missing: MissingProvider[] }> {
  const available: ExecutionProvider[] = [];
  const missing: MissingProvider[] = [];
  for (const provider of wanted) {
    try {
      const trial = await InferenceSession.create(PROBE, {
        executionProviders: [runtimeProvider(provider)],
        intraOpNumThreads: 1,
        logSeverityLevel: 4,
      });
      await trial.release();
      available.push(provider);
    } catch (error) {
      missing.push({ provider, reason: describeError(error) });
    }
  }
  return { available, missing };
}

async function create(path: string, options: InferenceSession.SessionOptions): Promise<SessionFacts> {
  try {
    // One model's memory is enough: what is left to the collector stays for as long as it likes.
    const former = session;
    session = undefined;
    await former?.release();
    session = await InferenceSession.create(path, options);
    return { inputs: session.inputMetadata, outputs: session.outputMetadata };
  } catch (error) {
    if (errorText(error).startsWith('Unsupported data type')) return rawFacts(path, options);
    throw error;
  }
}

/** Element types of ONNX (TensorProto.DataType) that ONNX Runtime for Node refuses without saying where. */
const REFUSED_TYPES: Readonly<Record<number, string>> = {
  14: 'complex64',
  15: 'complex128',
  16: 'bfloat16',
  17: 'float8e4m3fn',
  18: 'float8e4m3fnuz',
  19: 'float8e5m2',
  20: 'float8e5m2fnuz',
};

interface RawMetadata {
  readonly name: string;
  readonly isTensor: boolean;
  readonly type: number;
}

interface RawBinding {
  readonly InferenceSession: new () => {
    loadModel(path: string, options: InferenceSession.SessionOptions): void;
    readonly inputMetadata: readonly RawMetadata[];
    readonly outputMetadata: readonly RawMetadata[];
  };
}

/** Loads once more beneath the package's JavaScript, which throws on such a type before it can be asked for the name. */
function rawFacts(path: string, options: InferenceSession.SessionOptions): SessionFacts {
  const { binding } = makeRequire(import.meta.url)('onnxruntime-node/dist/binding.js') as { binding: RawBinding };
  const raw = new binding.InferenceSession();
  raw.loadModel(path, options);
  const describe = ({ name, isTensor, type }: RawMetadata): ValueMetadata => ({
    name,
    isTensor,
    type: REFUSED_TYPES[type] ?? 'float32',
  });
  return { inputs: raw.inputMetadata.map(describe), outputs: raw.outputMetadata.map(describe) };
}

async function run(inputs: readonly SessionTensor[], outputs: readonly string[]): Promise<SessionResult> {
  if (session === undefined) throw new Error('The session has not been created.');
  const start = systemClock.monotonic();
  const feeds: Record<string, InferenceSession.FeedsType[string]> = {};
  for (const input of inputs) feeds[input.name] = toFeed(input);
  const fed = systemClock.monotonic();
  const values = await session.run(feeds, outputs);
  const ran = systemClock.monotonic();
  const results = outputs.map((name) => fromValue(name, values[name]));
  return {
    outputs: results,
    timing: { computeInput: fed - start, compute: ran - fed, computeOutput: systemClock.monotonic() - ran },
  };
}
