/** What all pods that exist hold of the budgets, counted as they come and go. */
import { LABELS } from '../../common/api/names.ts';
import { keyOf } from '../cluster/object-key.ts';
import type { Pod } from '../cluster/resources.ts';
import { isLost } from '../pods/lost-pod.ts';
import type { BudgetInUse } from './allocate.ts';
import { bounds, type Budget, type Needs } from './budget.ts';

/** Replicas that hold their share already and are no pods yet. */
export interface Making {
  readonly namespace: string;
  readonly needs: Needs;
  readonly replicas: number;
}

interface PodShare {
  readonly pod: Pod;
  readonly needs: Needs;
  readonly revision: string;
}

export class PodShares {
  readonly #shares = new Map<string, PodShare>();
  /** Pods by revision, as `namespace/name`. */
  readonly #counts = new Map<string, number>();

  /** A pod exists, or has changed. It holds its share until it is gone. */
  see(pod: Pod, needs: Needs): void {
    const { namespace = '', labels = {} } = pod.metadata;
    const revision = `${namespace}/${labels[LABELS.revision]}`;
    this.gone(pod);
    this.#shares.set(keyOf(pod.metadata), { pod, needs, revision });
    this.#counts.set(revision, this.countOf(revision) + 1);
  }

  /** False if it held nothing. */
  gone(pod: Pod): boolean {
    const share = this.#shares.get(keyOf(pod.metadata));
    if (share === undefined) return false;
    this.#shares.delete(keyOf(pod.metadata));
    const left = this.countOf(share.revision) - 1;
    if (left === 0) this.#counts.delete(share.revision);
    else this.#counts.set(share.revision, left);
    return true;
  }

  countOf(revision: string): number {
    return this.#counts.get(revision) ?? 0;
  }

  /** @param now milliseconds since the epoch: the pods of a lost node hold nothing */
  inUse(budgets: readonly Budget[], making: readonly Making[], now: number): BudgetInUse[] {
    const shares = [...this.#shares.values()].filter(({ pod }) => !isLost(pod, now));
    const held = shares.map(({ pod, needs }): Making => ({
      namespace: pod.metadata.namespace ?? '',
      needs,
      replicas: 1,
    }));
    const all = [...held, ...making];
    return budgets.map((budget) => ({
      ...budget,
      held: all
        .filter(({ namespace, needs }) => bounds(budget, namespace, needs))
        .reduce((sum, { needs, replicas }) => sum + replicas * (needs[budget.resource] ?? 0), 0),
    }));
  }
}
