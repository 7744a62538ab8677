/** Starts the threads of sessions, with as little of the program as that takes: they load ONNX Runtime while the rest of it loads. */
import { Worker } from 'node:worker_threads';
import { errorText } from '../node-error.ts';
import type { ToWorker } from './session-worker.ts';

/** Beside this file: its TypeScript in a checkout, its bundle in dist/. */
const WORKER_FILE = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './runtime-worker.js', import.meta.url);

/** A thread that nobody may have listened to yet; it says nothing before it is asked. */
export interface StartedThread {
  readonly worker: Worker;
  /** Resolves when it has ended, with why, whether it was asked to or not. */
  readonly died: Promise<Error>;
}

/** `file` is another program only in tests. */
export function startThread(name: string, file: URL = WORKER_FILE): StartedThread {
  // ONNX Runtime's own builds otherwise write an identifier of the machine and a database below $HOME, and send the names and hashes of models to their
  // maker; which also takes 5 ms of a start on an idle machine, and 20 to 60 on a busy one. It asks for this once, when it is loaded; a thread's own `process.env` is not what it sees.
  // https://github.com/microsoft/onnxruntime/pull/27379
  process.env['ORT_DISABLE_TELEMETRY'] = '1';
  const worker = new Worker(file, { name });
  const died = new Promise<Error>((resolve) => {
    let crash: Error | undefined;
    worker.once('error', (error: unknown) => {
      crash = new Error(`The thread "${name}" of the model crashed: ${errorText(error)}`, { cause: error });
    });
    worker.once('exit', (code) => {
      resolve(crash ?? new Error(`The thread "${name}" of the model ended with exit code ${code}.`));
    });
  });
  return { worker, died };
}

/** One for each of so many sessions. */
export function startThreads(instances: number): StartedThread[] {
  return Array.from({ length: Math.max(0, instances) }, (_, index) => startThread(`session-${index}`));
}

/** Resolves once it has ended; never ends it inside a run or while it loads ONNX Runtime, which would abort the process. */
export async function endThread({ worker, died }: StartedThread): Promise<void> {
  worker.postMessage(['close'] satisfies ToWorker);
  await died;
}
