/**
 * The thread of one inference session. ONNX Runtime runs synchronously on the thread that calls it, so a run here leaves the server's thread free, and
 * messages are answered one after the other. Ending the thread from outside during a run would abort the process (Napi::Error), so `close` is a message
 * like every other.
 */
import { parentPort } from 'node:worker_threads';
import { env, type InferenceSession } from 'onnxruntime-node';
import { systemClock } from '../../common/platform/clock.ts';
import { freeMemory } from '../../common/platform/free-memory.ts';
import { describeError } from './describe-error.ts';
import { runtimeProvider, type ExecutionProvider } from './execution-providers.ts';
import { fromValue, toFeed } from './feeds.ts';
import { createSession, describeValue, type NativeSession } from './native-session.ts';
import { sessionOptions } from './session-options.ts';
import {
  buffersOf,
  type FromWorker,
  type MissingProvider,
  type SessionFacts,
  type TensorMessage,
  type ToWorker,
} from './session-worker.ts';

/** y = x + x on one float: the smallest model, to find out whether a provider works before the real model has arrived. */
const PROBE = Buffer.from(
  'CAg6OQoOCgF4CgF4EgF5IgNBZGQSBXByb2JlWg8KAXgSCgoICAESBAoCCAFiDwoBeRIKCggIARIECgIIAUIECgAQEQ==',
  'base64',
);

if (parentPort === null) throw new Error('This file is the body of a worker thread, not a program.');
const port = parentPort;

let session: NativeSession | undefined;

port.on('message', (message: ToWorker) => {
  try {
    handle(message);
  } catch (error) {
    answer(['failed', describeError(error)]);
  }
});

function handle(message: ToWorker): void {
  switch (message[0]) {
    case 'prepare': {
      const { available, missing } = probe(message[1]);
      return answer(['prepared', available, missing, env.versions.node ?? env.versions.common]);
    }
    case 'create':
      return answer(['created', create(message[1], sessionOptions(message[2]))]);
    case 'run':
      return run(message[1], message[2]);
    case 'close':
      session?.dispose();
      port.close();
  }
}

function answer(message: FromWorker, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer);
}

/**
 * ONNX Runtime throws for a provider whose libraries or device are missing, even where CPU follows it in the list; so each is tried alone. The first
 * session also sets its environment up (20 ms), while the model is still being fetched.
 */
function probe(wanted: readonly ExecutionProvider[]): {
  readonly available: readonly ExecutionProvider[];
  readonly missing: readonly MissingProvider[];
} {
  const available: ExecutionProvider[] = [];
  const missing: MissingProvider[] = [];
  for (const provider of wanted) {
    try {
      const executionProviders = [runtimeProvider(provider)];
      createSession(PROBE, { executionProviders, intraOpNumThreads: 1, logSeverityLevel: 4 }).dispose();
      available.push(provider);
    } catch (error) {
      missing.push({ provider, reason: describeError(error) });
    }
  }
  return { available, missing };
}

function create(path: string, options: InferenceSession.SessionOptions): SessionFacts {
  // One model's memory is enough: what is left to the collector stays for as long as it likes.
  session?.dispose();
  session = undefined;
  session = createSession(path, options);
  return { inputs: session.inputMetadata.map(describeValue), outputs: session.outputMetadata.map(describeValue) };
}

function run(inputs: readonly TensorMessage[], outputs: readonly string[]): void {
  if (session === undefined) throw new Error('The session has not been created.');
  try {
    const start = systemClock.monotonic();
    const feeds: Record<string, InferenceSession.FeedsType[string]> = {};
    for (const input of inputs) feeds[input[0]] = toFeed(input);
    const fetches: Record<string, null> = {};
    for (const name of outputs) fetches[name] = null;
    const fed = systemClock.monotonic();
    const values = session.run(feeds, fetches, {});
    const ran = systemClock.monotonic();
    const results = outputs.map((name) => fromValue(name, values[name]));
    answer(['result', results, fed - start, ran - fed, systemClock.monotonic() - ran], buffersOf(results));
  } finally {
    const [input] = inputs;
    if (input !== undefined) freeMemory(new Uint8Array(input[3].buffer));
  }
}
