/** The node's agent: gives each pod that the scheduler placed here a worker of its own, and wakes the ones that wait for a Secret. */
import type { WatchEvent } from '../port.ts';
import type { Pod, Secret } from '../resources.ts';
import { NODE_NAME } from './scheduler.ts';
import { PodWorker, type NodeServices } from './pod-worker.ts';

export class Kubelet {
  readonly #services: NodeServices;
  /** By uid: a pod that was removed by force can still be dying when another has its name. */
  readonly #workers = new Map<string, PodWorker>();

  constructor(services: NodeServices) {
    this.#services = services;
  }

  /** To be called with every change of a pod. */
  observe(event: WatchEvent<Pod>): void {
    if (event.type === 'Synced') return;
    const pod = event.object;
    const { uid = '' } = pod.metadata;
    const worker = this.#workers.get(uid);
    if (event.type === 'Deleted') worker?.podRemoved();
    else if (worker !== undefined) worker.podChanged(pod);
    else if (pod.spec.nodeName === NODE_NAME && pod.status?.phase === 'Pending')
      this.#workers.set(uid, new PodWorker(pod, this.#services, () => this.#workers.delete(uid)));
  }

  /** To be called with every change of a Secret. */
  secretChanged(event: WatchEvent<Secret>): void {
    if (event.type === 'Synced') return;
    const { namespace } = event.object.metadata;
    for (const worker of this.#workers.values()) if (worker.namespace === namespace) worker.secretChanged();
  }

  /** Kills every pod and resolves when the last program is gone. */
  async close(): Promise<void> {
    await Promise.all([...this.#workers.values()].map((worker) => worker.kill()));
  }
}
