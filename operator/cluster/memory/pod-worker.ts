/**
 * One pod on the node, from its start to the confirmation that it is gone: the part of a kubelet that runs a pod of a single container, without
 * volumes, probes or init containers.
 */
import { timestamp } from '../../../common/api/conditions.ts';
import type { Cancel, Clock } from '../../../common/platform/clock.ts';
import type { Pod, Secret } from '../resources.ts';
import { resolveEnvironment } from './container-environment.ts';
import type { Faults } from './faults.ts';
import type { ContainerExit, PodRunner, RunningPod } from './pod-runner.ts';
import { exitCodeOf, podStatus, type ContainerState } from './pod-status.ts';

/** All pods share the machine's address; what tells them apart are the ports that they announce. */
const POD_IP = '127.0.0.1';

/** What a program still gets when its pod was removed by force. */
const FORCED_GRACE_SECONDS = 1;

const FIRST_BACK_OFF_MILLISECONDS = 10_000;
const MAX_BACK_OFF_MILLISECONDS = 300_000;

export interface NodeServices {
  readonly clock: Clock;
  readonly runner: PodRunner;
  readonly faults: Faults;
  readonly secret: (namespace: string, name: string) => Secret | undefined;
  /** Changes the pod of this uid; nothing happens if it is gone. */
  readonly writePod: (pod: Pod, change: (current: Pod) => Pod) => void;
  /** Tells the API server that the pod's program ended, so that a deleted pod can go. */
  readonly confirmDeletion: (pod: Pod) => void;
}

export class PodWorker {
  readonly #services: NodeServices;
  readonly #onDone: () => void;
  #pod: Pod;
  #container: ContainerState = { type: 'Waiting', reason: 'ContainerCreating' };
  #running: RunningPod | undefined;
  #restarts = 0;
  #removed = false;
  #terminating = false;
  /** The end of the grace, on the monotonic clock. */
  #deadline = Infinity;
  #cancelKill: Cancel | undefined;
  #cancelLater: Cancel | undefined;

  /** `onDone` is called when nothing of the pod is left, neither its program nor its object. */
  constructor(pod: Pod, services: NodeServices, onDone: () => void) {
    this.#pod = pod;
    this.#services = services;
    this.#onDone = onDone;
    const refusal = services.faults.refusal?.(pod) ?? unsupported(pod);
    if (pod.metadata.deletionTimestamp !== undefined) this.podChanged(pod);
    else if (refusal === undefined) this.#start();
    else this.#refuse(refusal);
  }

  get namespace(): string | undefined {
    return this.#pod.metadata.namespace;
  }

  podChanged(pod: Pod): void {
    this.#pod = pod;
    if (pod.metadata.deletionTimestamp !== undefined) this.#terminate(pod.metadata.deletionGracePeriodSeconds ?? 0);
  }

  podRemoved(): void {
    this.#removed = true;
    this.#terminate(FORCED_GRACE_SECONDS);
  }

  secretChanged(): void {
    if (this.#container.type === 'Waiting' && this.#container.reason === 'CreateContainerConfigError') this.#start();
  }

  /** The end of the node: the program dies, and nothing is reported. */
  async kill(): Promise<void> {
    this.#terminating = true;
    this.#cancelTimers();
    const running = this.#running;
    this.#running = undefined;
    running?.signal('SIGKILL');
    await running?.exited;
  }

  #start(): void {
    if (this.#terminating) return;
    const pod = this.#pod;
    const { runner, faults } = this.#services;
    const { namespace = '' } = pod.metadata;
    const [container] = pod.spec.containers;
    if (container === undefined) return;
    const resolved = resolveEnvironment(pod, container, POD_IP, (name) => this.#services.secret(namespace, name));
    if ('problem' in resolved) {
      this.#container = { type: 'Waiting', reason: 'CreateContainerConfigError', message: resolved.problem };
      return this.#report();
    }
    const running = runner.start({ ...pod, status: { ...pod.status, podIP: POD_IP } }, resolved.environment);
    this.#running = running;
    this.#container = { type: 'Running', startedAt: this.#now(), ready: false };
    void running.exited.then((exit) => this.#ended(running, exit));
    void running.ready?.then(() => this.#becameReady(running));
    const late = faults.lateStatusMilliseconds?.(pod) ?? 0;
    if (late > 0) this.#later(late, () => this.#report());
    else this.#report();
  }

  #becameReady(running: RunningPod): void {
    if (this.#running !== running || this.#container.type !== 'Running') return;
    this.#container = { ...this.#container, ready: true };
    // A status that is late anyway will say this too.
    if (this.#cancelLater === undefined) this.#report();
  }

  #ended(running: RunningPod, exit: ContainerExit): void {
    if (this.#running !== running) return;
    this.#running = undefined;
    this.#cancelTimers();
    this.#container = { type: 'Ended', exit };
    if (!this.#terminating && shouldRestart(this.#pod, exit)) this.#backOff();
    else this.#report();
    if (this.#terminating) this.#finish();
  }

  #backOff(): void {
    const delay = Math.min(MAX_BACK_OFF_MILLISECONDS, FIRST_BACK_OFF_MILLISECONDS * 2 ** this.#restarts);
    this.#restarts += 1;
    const message = `back-off ${delay / 1000}s restarting failed container`;
    this.#container = { type: 'Waiting', reason: 'CrashLoopBackOff', message };
    this.#report();
    this.#later(delay, () => this.#start());
  }

  #refuse({ reason, message }: { readonly reason: string; readonly message: string }): void {
    const status = {
      phase: 'Failed',
      reason,
      message: `Pod was rejected: ${message}`,
      startTime: this.#now(),
    } as const;
    this.#services.writePod(this.#pod, (current) => ({ ...current, status: { ...current.status, ...status } }));
  }

  /** SIGTERM once; a shorter grace later brings SIGKILL forward, a longer one does not put it off. */
  #terminate(graceSeconds: number): void {
    const first = !this.#terminating;
    this.#terminating = true;
    if (this.#running === undefined) {
      this.#cancelTimers();
      return this.#finish();
    }
    if (first && this.#services.faults.ignoresTermination?.(this.#pod) !== true) this.#running.signal('SIGTERM');
    const { clock } = this.#services;
    const deadline = clock.monotonic() + graceSeconds * 1000;
    if (deadline >= this.#deadline) return;
    this.#deadline = deadline;
    this.#cancelKill?.();
    this.#cancelKill = clock.after(graceSeconds * 1000, () => this.#running?.signal('SIGKILL'));
  }

  #finish(): void {
    if (this.#removed) this.#onDone();
    else this.#services.confirmDeletion(this.#pod);
  }

  #later(milliseconds: number, action: () => void): void {
    this.#cancelLater = this.#services.clock.after(milliseconds, () => {
      this.#cancelLater = undefined;
      action();
    });
  }

  #cancelTimers(): void {
    this.#cancelKill?.();
    this.#cancelLater?.();
    this.#cancelLater = undefined;
  }

  #report(): void {
    this.#services.writePod(this.#pod, (current) => ({
      ...current,
      status: podStatus(current, POD_IP, this.#container, this.#restarts, this.#now()),
    }));
  }

  #now(): string {
    return timestamp(this.#services.clock.now());
  }
}

function shouldRestart({ spec: { restartPolicy } }: Pod, exit: ContainerExit): boolean {
  return restartPolicy === 'Always' || (restartPolicy === 'OnFailure' && exitCodeOf(exit) !== 0);
}

/** Better a pod that fails with this than one that runs without what it asked for. */
function unsupported({ spec }: Pod): { reason: string; message: string } | undefined {
  const { initContainers } = spec;
  const extra = Array.isArray(initContainers) ? initContainers.length : 0;
  if (spec.containers.length === 1 && extra === 0) return undefined;
  return {
    reason: 'UnexpectedAdmissionError',
    message: 'this node runs pods of one container, without init containers',
  };
}
