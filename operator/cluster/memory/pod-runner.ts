/** The port to whatever runs a pod's container: a child process of this machine, or a test. */
import type { Pod } from '../resources.ts';

export interface PodRunner {
  /** Starts the pod's container; a failure to start is an exit. `environment` is all that the pod declares, resolved. */
  start(pod: Pod, environment: Readonly<Record<string, string>>): RunningPod;
}

export type TerminationSignal = 'SIGTERM' | 'SIGKILL';

export interface RunningPod {
  /** Resolves when the program serves; without it nobody but the pod itself knows. Neither promise rejects. */
  readonly ready?: Promise<void>;
  readonly exited: Promise<ContainerExit>;
  /** A signal to a program that has ended does nothing. */
  signal(name: TerminationSignal): void;
}

export interface ContainerExit {
  /** Undefined if a signal ended it. */
  readonly exitCode: number | undefined;
  /** `SIGKILL` */
  readonly signal: string | undefined;
  /** What the program left in its termination log, or why it could not start. */
  readonly terminationMessage: string;
}
