/** Runs no program: a test decides when a pod is ready, how it ends, and whether it heeds SIGTERM. */
import type { Pod } from '../resources.ts';
import type { ContainerExit, PodRunner, RunningPod, TerminationSignal } from './pod-runner.ts';

export class StubPod implements RunningPod {
  readonly pod: Pod;
  readonly environment: Readonly<Record<string, string>>;
  readonly signals: TerminationSignal[] = [];
  readonly ready: Promise<void>;
  readonly exited: Promise<ContainerExit>;
  /** Set to true for a program that only SIGKILL ends. */
  hangsOnTermination = false;
  readonly #becomeReady: () => void;
  readonly #end: (exit: ContainerExit) => void;

  constructor(pod: Pod, environment: Readonly<Record<string, string>>) {
    const ready = Promise.withResolvers<undefined>();
    const exited = Promise.withResolvers<ContainerExit>();
    this.pod = pod;
    this.environment = environment;
    this.ready = ready.promise;
    this.exited = exited.promise;
    this.#becomeReady = () => ready.resolve(undefined);
    this.#end = exited.resolve;
  }

  becomeReady(): void {
    this.#becomeReady();
  }

  exit(exitCode: number, terminationMessage = ''): void {
    this.#end({ exitCode, signal: undefined, terminationMessage });
  }

  signal(name: TerminationSignal): void {
    this.signals.push(name);
    if (name === 'SIGKILL') this.#end({ exitCode: undefined, signal: name, terminationMessage: '' });
    else if (!this.hangsOnTermination) this.exit(0);
  }
}

export class StubRunner implements PodRunner {
  /** Every pod that was ever started, in order. */
  readonly started: StubPod[] = [];
  readonly #onStart: (pod: StubPod) => void;

  /** `onStart` may make a pod ready, end it or let it hang from the beginning. */
  constructor(onStart: (pod: StubPod) => void = () => undefined) {
    this.#onStart = onStart;
  }

  start(pod: Pod, environment: Readonly<Record<string, string>>): RunningPod {
    const stub = new StubPod(pod, environment);
    this.started.push(stub);
    this.#onStart(stub);
    return stub;
  }

  /** The latest start of the pod of this name. */
  pod(name: string): StubPod {
    const found = this.started.findLast(({ pod }) => pod.metadata.name === name);
    if (found === undefined) throw new Error(`No pod "${name}" was started.`);
    return found;
  }
}
