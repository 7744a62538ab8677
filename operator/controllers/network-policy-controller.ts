/** Keeps one NetworkPolicy in each namespace that has functions, and none of ours in any other. */
import type { Logger } from '../../common/platform/logging.ts';
import type { EventRecorder } from '../cluster/events.ts';
import { deleteExactly } from '../cluster/delete-exactly.ts';
import type { Cluster } from '../cluster/port.ts';
import { REFUSAL_RETRY_MILLISECONDS } from '../cluster/refusal.ts';
import { NETWORK_POLICIES, type NetworkPolicy } from '../cluster/resources.ts';
import { buildNetworkPolicy, NETWORK_POLICY_NAME } from '../network-policies/build-network-policy.ts';
import { planNetworkPolicy, type NetworkPolicyPlan } from '../network-policies/plan-network-policy.ts';
import { recordEvents } from './new-event.ts';

export interface NetworkPolicyControllerOptions {
  readonly cluster: Cluster;
  readonly events: Pick<EventRecorder, 'record'>;
  readonly logger: Logger;
  readonly operatorNamespace: string;
  /** False: nobody is to have one. */
  readonly networkPolicies: boolean;
  readonly hasFunctions: (namespace: string) => boolean;
  /** The newest that the watch has brought, of those with the operator's label. */
  readonly networkPolicy: (namespace: string, name: string) => NetworkPolicy | undefined;
}

export class NetworkPolicyController {
  readonly #options: NetworkPolicyControllerOptions;
  /** The uid of somebody else's policy that was told of, by namespace: looking at it again and again is no news. */
  readonly #reported = new Map<string, string>();

  constructor(options: NetworkPolicyControllerOptions) {
    this.#options = options;
  }

  /** Gives the milliseconds after which to look again; undefined if only an event brings more. */
  async reconcile(namespace: string): Promise<number | undefined> {
    const { cluster, operatorNamespace, networkPolicies, hasFunctions, networkPolicy } = this.#options;
    const isWanted = networkPolicies && hasFunctions(namespace);
    const wanted = isWanted ? buildNetworkPolicy(namespace, operatorNamespace) : undefined;
    const watched = networkPolicy(namespace, NETWORK_POLICY_NAME);
    const isUnknown = wanted !== undefined && watched === undefined;
    const unwatched = isUnknown ? await cluster.get(NETWORK_POLICIES, wanted.metadata) : undefined;
    const plan = planNetworkPolicy(wanted, watched ?? unwatched);
    if (plan.type !== 'Foreign') this.#reported.delete(namespace);
    await this.#carryOut(plan);
    return unwatched === undefined ? undefined : REFUSAL_RETRY_MILLISECONDS;
  }

  async #carryOut(plan: NetworkPolicyPlan): Promise<void> {
    const { cluster } = this.#options;
    switch (plan.type) {
      case 'Create':
        await cluster.create(NETWORK_POLICIES, plan.policy);
        return;
      case 'Update':
        await cluster.update(NETWORK_POLICIES, plan.policy);
        return;
      case 'Delete':
        await deleteExactly(cluster, NETWORK_POLICIES, plan.policy.metadata);
        return;
      case 'Foreign':
        this.#report(plan.policy);
        return;
      case 'Nothing':
    }
  }

  /** On the policy, for it stands in the way of all functions of the namespace and of none more than of another; they serve all the same. */
  #report(policy: NetworkPolicy): void {
    const { events, logger } = this.#options;
    const { namespace = '', name, uid = '' } = policy.metadata;
    if (this.#reported.get(namespace) === uid) return;
    this.#reported.set(namespace, uid);
    const message = `NetworkPolicy ${name} is not Pilotlight's, so runtime pods here are not closed to all but gateways. Delete or rename it, or turn Pilotlight's network policies off`;
    recordEvents(events, policy, [{ type: 'Warning', reason: 'NotOwned', message }]);
    logger.warn({ kind: policy.kind, namespace, name }, 'Left NetworkPolicy of somebody else alone');
  }
}
