/** Several gateways that know of one another, each with a leader that tells it so. */
import type { FunctionRoute, GatewaysRoute } from '../../common/wire/routes.ts';
import { chooseOwner } from '../claims/choose-owner.ts';
import { GatewayFixture } from './gateway-fixture.ts';
import type { StubOperator } from './stub-operator.ts';

const REVISION = 'default/digits-00001';

export class GatewayGroup {
  readonly gateways: GatewayFixture[] = [];
  readonly #leaders: StubOperator[] = [];
  #functions: readonly FunctionRoute[];
  #named: readonly number[] = [];
  #epoch = 1;

  private constructor(functions: readonly FunctionRoute[]) {
    this.#functions = functions;
  }

  static async start(count: number, functions: readonly FunctionRoute[]): Promise<GatewayGroup> {
    const group = new GatewayGroup(functions);
    for (let at = 0; at < count; at += 1) group.gateways.push(await GatewayFixture.start({ name: idOf(at) }));
    for (const gateway of group.gateways) group.#leaders.push(await gateway.leader(functions));
    await group.name(group.gateways.map((_, at) => at));
    return group;
  }

  /** Which of those that are named owns the revision of the tests. */
  get owner(): number {
    const ids = this.#named.map(idOf);
    return this.#named[ids.indexOf(chooseOwner(REVISION, ids) ?? '')] ?? -1;
  }

  /** One that does not. */
  get other(): number {
    return this.#named.find((at) => at !== this.owner) ?? -1;
  }

  /** Tells all of them which there are, and resolves when each can ask the owner for slots. */
  async name(named: readonly number[]): Promise<void> {
    this.#named = named;
    this.#epoch += 1;
    for (const [at, leader] of this.#leaders.entries()) {
      leader.routes(this.#epoch, this.#functions, this.#gatewaysFor(at, named));
    }
    for (const [at, gateway] of this.gateways.entries()) {
      await gateway.tookEpoch(this.#epoch);
      if (at !== this.owner) await gateway.until(async () => (await gateway.metric('pilotlight_gateway_peers')) > 0);
    }
  }

  /** Tells one of them which there are, whatever the others know. */
  async tell(at: number, named: readonly number[]): Promise<void> {
    this.#epoch += 1;
    this.#leaders[at]?.routes(this.#epoch, this.#functions, this.#gatewaysFor(at, named));
    await this.gateways[at]?.tookEpoch(this.#epoch);
  }

  change(functions: readonly FunctionRoute[]): void {
    this.#functions = functions;
    for (const leader of this.#leaders) leader.change(this.#epoch, functions);
  }

  /** The others do not hear of it. */
  changeAt(at: number, functions: readonly FunctionRoute[]): void {
    this.#leaders[at]?.change(this.#epoch, functions);
  }

  gateway(at: number): GatewayFixture {
    const gateway = this.gateways[at];
    if (gateway === undefined) throw new Error(`There is no gateway ${at}.`);
    return gateway;
  }

  port(at: number): number {
    return this.gateway(at).ports.http;
  }

  /** The sum of a metric of all of them becomes so much. */
  async sums(metric: string, sum: number): Promise<void> {
    await this.gateway(0).until(async () => {
      let now = 0;
      for (const gateway of this.gateways) now += await gateway.metric(metric);
      return now === sum;
    });
  }

  async close(): Promise<void> {
    for (const gateway of this.gateways) await gateway.close();
  }

  #gatewaysFor(at: number, named: readonly number[]): GatewaysRoute {
    return {
      self: idOf(at),
      all: named.map((one) => ({ id: idOf(one), host: '127.0.0.1', controlPort: this.gateway(one).ports.control })),
    };
  }
}

function idOf(at: number): string {
  return `gateway-${at}`;
}
