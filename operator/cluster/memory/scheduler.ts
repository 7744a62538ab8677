/**
 * Gives each pod the one node of this cluster while there is room, oldest first; one that does not fit does not hold up those behind it. It says why a
 * pod waits in the words of kube-scheduler, which the operator shows to users. Selectors, affinity and taints mean nothing on one machine.
 */
import { timestamp } from '../../../common/api/conditions.ts';
import type { Clock } from '../../../common/platform/clock.ts';
import type { WatchEvent } from '../port.ts';
import type { Pod, PodCondition } from '../resources.ts';
import { lackingResources, podRequests, toAmounts, type Amounts } from './pod-requests.ts';
import { withConditions } from './pod-status.ts';
import type { Registry } from './registry.ts';

export const NODE_NAME = 'local';

/** Kubernetes' own limit of a node. */
const DEFAULT_PODS = '110';

export interface SchedulerOptions {
  readonly registry: Registry;
  readonly clock: Clock;
  /** Quantities by resource name, as in a node's `status.capacity`. */
  readonly capacity: Readonly<Record<string, string>>;
}

export class Scheduler {
  readonly #registry: Registry;
  readonly #clock: Clock;
  readonly #capacity: Amounts;
  readonly #used = new Map<string, bigint>();
  /** What each pod on the node takes, by uid. */
  readonly #placed = new Map<string, Amounts>();
  /** By uid, in the order of arrival. */
  readonly #waiting = new Map<string, Pod>();

  constructor({ registry, clock, capacity }: SchedulerOptions) {
    this.#registry = registry;
    this.#clock = clock;
    this.#capacity = toAmounts({ pods: DEFAULT_PODS, ...capacity });
  }

  /** To be called with every change of a pod. */
  observe(event: WatchEvent<Pod>): void {
    if (event.type === 'Synced') return;
    const pod = event.object;
    const { uid = '' } = pod.metadata;
    const over = pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
    if (event.type === 'Deleted' || over || pod.metadata.deletionTimestamp !== undefined) this.#waiting.delete(uid);
    else if (pod.spec.nodeName === undefined && !this.#placed.has(uid)) {
      const known = this.#waiting.has(uid);
      this.#waiting.set(uid, pod);
      if (!known) this.#place(uid, pod);
    }
    if (event.type === 'Deleted' || over) this.#free(uid);
  }

  #place(uid: string, pod: Pod): void {
    const requests = podRequests(pod);
    const lacking = lackingResources(requests, this.#used, this.#capacity);
    if (lacking.length > 0) {
      const message = unschedulableMessage(lacking);
      return this.#write(pod, { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message });
    }
    this.#waiting.delete(uid);
    this.#placed.set(uid, requests);
    for (const [name, amount] of requests) this.#used.set(name, (this.#used.get(name) ?? 0n) + amount);
    this.#write(pod, { type: 'PodScheduled', status: 'True' }, NODE_NAME);
  }

  /** Room appeared: whoever waits is tried again. */
  #free(uid: string): void {
    const requests = this.#placed.get(uid);
    if (requests === undefined) return;
    this.#placed.delete(uid);
    for (const [name, amount] of requests) this.#used.set(name, (this.#used.get(name) ?? 0n) - amount);
    for (const [waiting, pod] of this.#waiting) this.#place(waiting, pod);
  }

  #write(pod: Pod, condition: PodCondition, nodeName?: string): void {
    this.#registry.writePod(pod, (current) => ({
      ...current,
      spec: { ...current.spec, ...(nodeName !== undefined && { nodeName }) },
      status: {
        ...current.status,
        conditions: withConditions(current.status?.conditions, timestamp(this.#clock.now()), [condition]),
      },
    }));
  }
}

function unschedulableMessage(lacking: readonly string[]): string {
  const reasons = lacking.map((name) => (name === 'pods' ? '1 Too many pods' : `1 Insufficient ${name}`)).sort();
  const preemption = '0/1 nodes are available: 1 No preemption victims found for incoming pod.';
  return `0/1 nodes are available: ${reasons.join(', ')}. no new claims to deallocate, preemption: ${preemption}`;
}
