/** Which operator leads, as its Lease says. */
import type { ObjectKey } from '../../../operator/cluster/port.ts';
import { LEASES, type Lease } from '../../../operator/cluster/resources.ts';
import { LEASE_NAME } from '../../../operator/leadership/lease-record.ts';
import { SYSTEM_NAMESPACE } from './installation.ts';
import { ObjectWatch } from './object-watch.ts';

export class Leadership {
  readonly #leases: ObjectWatch<Lease>;

  private constructor(leases: ObjectWatch<Lease>) {
    this.#leases = leases;
  }

  static async start(): Promise<Leadership> {
    const leases = new ObjectWatch(LEASES, { namespace: SYSTEM_NAMESPACE });
    return new Leadership(await leases.synced());
  }

  /** The pod's name and a number of the process: `pilotlight-operator-5d9c-x2x4v_0123456789ab`; empty while none leads. */
  get holder(): string {
    return this.#leases.objects.find(({ metadata }) => metadata.name === LEASE_NAME)?.spec?.holderIdentity ?? '';
  }

  /** Of the leader. */
  get pod(): ObjectKey {
    return { namespace: SYSTEM_NAMESPACE, name: this.holder.replace(/_.*$/, '') };
  }

  async untilAnotherLeads(than: string): Promise<void> {
    await this.#leases.until('another operator leads', () => (['', than].includes(this.holder) ? undefined : true));
  }

  close(): Promise<void> {
    return this.#leases.close();
  }
}
