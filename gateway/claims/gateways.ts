/** The gateways that routes name, this one among them, and which of them gives out the slots of a revision. */
import type { GatewayRoute, GatewaysRoute } from '../../common/wire/routes.ts';
import { chooseOwner } from './choose-owner.ts';
import { Peer, type PeerParts } from './peer.ts';

export class Gateways {
  readonly #parts: PeerParts;
  #ids: readonly string[] = [];
  /** The others. */
  #peers: ReadonlyMap<string, Peer> = new Map();

  constructor(parts: PeerParts) {
    this.#parts = parts;
  }

  /** Others whose queue can be used now. */
  get connected(): number {
    let count = 0;
    for (const peer of this.#peers.values()) if (peer.isOpen) count += 1;
    return count;
  }

  /** Takes whole what routes say. Revisions must look for their owner afterwards. */
  update({ self, all }: GatewaysRoute): void {
    const before = this.#peers;
    const peers = new Map<string, Peer>();
    for (const route of all) {
      if (route.id === self) continue;
      const known = before.get(route.id);
      const same = known !== undefined && isSamePlace(known.route, route);
      peers.set(route.id, same ? known : new Peer(route, this.#parts));
    }
    this.#ids = all.map(({ id }) => id);
    this.#peers = peers;
    for (const [id, peer] of before) if (peers.get(id) !== peer) peer.close();
  }

  /** Undefined if it is this gateway, or one that cannot be reached now: then each serves what it has, and the pods hold the limit. */
  ownerOf(namespace: string, revision: string): Peer | undefined {
    if (this.#peers.size === 0) return undefined;
    const owner = this.#peers.get(chooseOwner(`${namespace}/${revision}`, this.#ids) ?? '');
    owner?.open();
    return owner?.isOpen === true ? owner : undefined;
  }

  close(): void {
    for (const peer of this.#peers.values()) peer.close();
    this.#peers = new Map();
  }
}

function isSamePlace(a: GatewayRoute, b: GatewayRoute): boolean {
  return a.host === b.host && a.controlPort === b.controlPort;
}
