/** Runs the pods of local mode: each is the runtime's own program, as a child process of this machine. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Clock } from '../../common/platform/clock.ts';
import { RUNTIME_ALLOCATOR, RUNTIME_ENVIRONMENT, RUNTIME_NODE_FLAGS } from '../../common/wire/runtime-environment.ts';
import type { PodRunner } from '../../operator/cluster/memory/pod-runner.ts';
import { ProcessRunner } from '../../operator/cluster/memory/process-runner.ts';

/** The command runs from dist/, its tests from the sources; the runtime is always the bundle, as in an image. */
const ROOT = new URL(import.meta.url.endsWith('.ts') ? '../..' : '..', import.meta.url);
const RUNTIME = fileURLToPath(new URL('dist/runtime.js', ROOT));
const SUPERVISOR = fileURLToPath(new URL('runtime/supervise.sh', ROOT));

export interface LocalPodsOptions {
  readonly clock: Clock;
  /** Exists; models, termination logs and compiled code go under it. */
  readonly directory: string;
  readonly onLine: (pod: string, line: string) => void;
}

export function localPods({ clock, directory, onLine }: LocalPodsOptions): PodRunner & { close(): Promise<void> } {
  const logs = join(directory, 'pods');
  mkdirSync(logs, { recursive: true });
  const processes = new ProcessRunner({
    clock,
    directory: logs,
    commandFor: () => ({ file: '/bin/sh', arguments: [SUPERVISOR, process.execPath, ...RUNTIME_NODE_FLAGS, RUNTIME] }),
    environment: {
      // As baked into an image: the second start of a program skips the compilation of its code.
      NODE_COMPILE_CACHE: join(directory, 'compile-cache'),
      ...RUNTIME_ALLOCATOR,
    },
    onLine: ({ pod, text }) => onLine(pod.metadata.name, text),
  });
  return {
    // All pods share this machine's address and files, so each takes free ports and they fetch into one folder.
    start: (pod, declared) =>
      processes.start(pod, {
        ...declared,
        [RUNTIME_ENVIRONMENT.httpPort]: '0',
        [RUNTIME_ENVIRONMENT.grpcPort]: '0',
        [RUNTIME_ENVIRONMENT.controlPort]: '0',
        [RUNTIME_ENVIRONMENT.metricsPort]: '0',
        [RUNTIME_ENVIRONMENT.modelDirectory]: join(directory, 'models'),
      }),
    close: () => processes.close(),
  };
}
