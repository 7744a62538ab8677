/**
 * Runs a pod's container as a child process of this machine. The image is ignored: the caller says which program stands for a pod. Each is a process
 * group of its own, so that it dies with its children, and none outlives this process.
 */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { closeSync, constants, openSync, fstatSync, readSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { RUNTIME_ENVIRONMENT, TERMINATION_MESSAGE_BYTES } from '../../../common/wire/runtime-environment.ts';
import type { Clock } from '../../../common/platform/clock.ts';
import type { Pod } from '../resources.ts';
import { LogLines } from './log-lines.ts';
import type { ContainerExit, PodRunner, RunningPod } from './pod-runner.ts';
import { ProcessWatchdog } from './process-watchdog.ts';

/** A container runtime cuts lines at the same length. */
const MAX_LINE_CHARACTERS = 16 * 1024;

/** A grandchild that left the group may hold the output open for ever; nobody waits for it longer. */
const OUTPUT_END_MILLISECONDS = 1000;

/** What a container runtime reports when the program cannot be started. */
const START_ERROR_EXIT_CODE = 128;

export interface ProcessCommand {
  readonly file: string;
  readonly arguments: readonly string[];
  readonly directory?: string;
}

export interface ProcessRunnerOptions {
  readonly clock: Clock;
  readonly commandFor: (pod: Pod) => ProcessCommand;
  /** Beside what the pod declares, which goes first, and this process's PATH; nothing else is inherited. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Exists, and is this runner's alone: for the termination logs. */
  readonly directory: string;
  readonly onLine: (line: PodLogLine) => void;
}

export interface PodLogLine {
  readonly pod: Pod;
  readonly stream: 'stdout' | 'stderr';
  /** Without its end; of at most 16 Ki characters, the rest comes as further lines. */
  readonly text: string;
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

export class ProcessRunner implements PodRunner {
  readonly #options: ProcessRunnerOptions;
  readonly #watchdog = new ProcessWatchdog();

  constructor(options: ProcessRunnerOptions) {
    this.#options = options;
  }

  start(pod: Pod, declared: Readonly<Record<string, string>>): RunningPod {
    const { commandFor, environment, directory } = this.#options;
    const terminationLog = join(directory, pod.metadata.uid ?? pod.metadata.name);
    const env = {
      ...(process.env['PATH'] !== undefined && { PATH: process.env['PATH'] }),
      ...environment,
      ...declared,
      [RUNTIME_ENVIRONMENT.terminationLog]: terminationLog,
    };
    let child: Child;
    try {
      const command = commandFor(pod);
      child = spawn(command.file, command.arguments, {
        detached: true,
        // Its stdin ends when this process does, for programs that want to know.
        stdio: ['pipe', 'pipe', 'pipe'],
        env,
        ...(command.directory !== undefined && { cwd: command.directory }),
      });
    } catch (error) {
      return { exited: Promise.resolve(startFailure(error as Error)), signal: () => undefined };
    }
    const group = child.pid;
    if (group !== undefined) this.#watchdog.add(group);
    child.stdin.on('error', () => undefined);
    this.#forwardOutput(pod, child);
    return {
      exited: this.#exit(child, group, terminationLog),
      // A container's SIGTERM goes to its first process alone; its end takes the others along.
      signal: (name) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        if (name === 'SIGKILL' && group !== undefined) killGroup(group);
        else child.kill(name);
      },
    };
  }

  /** To be called when every pod has ended. */
  close(): Promise<void> {
    return this.#watchdog.close();
  }

  #forwardOutput(pod: Pod, child: Child): void {
    for (const stream of ['stdout', 'stderr'] as const) {
      const lines = new LogLines((text) => this.#options.onLine({ pod, stream, text }), MAX_LINE_CHARACTERS);
      child[stream].on('data', (chunk: Buffer) => lines.write(chunk));
      child[stream].once('close', () => lines.end());
    }
  }

  #exit(child: Child, group: number | undefined, terminationLog: string): Promise<ContainerExit> {
    return new Promise((resolve) => {
      child.once('error', (error) => {
        if (group === undefined) resolve(startFailure(error));
      });
      child.once('exit', (exitCode, signal) => {
        if (group !== undefined) {
          killGroup(group);
          this.#watchdog.remove(group);
        }
        const cancel = this.#options.clock.after(OUTPUT_END_MILLISECONDS, () => {
          child.stdout.destroy();
          child.stderr.destroy();
        });
        child.once('close', () => {
          cancel();
          const terminationMessage = takeTerminationMessage(terminationLog);
          resolve({ exitCode: exitCode ?? undefined, signal: signal ?? undefined, terminationMessage });
        });
      });
    });
  }
}

function startFailure({ message }: Error): ContainerExit {
  const terminationMessage = `Cannot start the program: ${message}`;
  return { exitCode: START_ERROR_EXIT_CODE, signal: undefined, terminationMessage };
}

/** Kills all that is left of a group. */
function killGroup(group: number): void {
  try {
    process.kill(-group, 'SIGKILL');
  } catch {
    // ESRCH: nobody is left; EPERM, on macOS: nobody but zombies.
  }
}

/**
 * The end of the file, as far as a kubelet keeps it; most programs leave none. What the program put in its place, a pipe or a link, is not followed.
 */
function takeTerminationMessage(path: string): string {
  try {
    const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const { size } = fstatSync(file);
      const bytes = Buffer.alloc(Math.min(size, TERMINATION_MESSAGE_BYTES));
      const read = readSync(file, bytes, 0, bytes.length, size - bytes.length);
      return bytes.toString('utf8', 0, read);
    } finally {
      closeSync(file);
      rmSync(path, { force: true });
    }
  } catch {
    return '';
  }
}
