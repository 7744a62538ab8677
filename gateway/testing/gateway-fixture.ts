/** A gateway on free ports with a clock that stands still, and what it needs around it. */
import { randomBytes } from 'node:crypto';
import { Registry } from 'prom-client';
import { createLogger } from '../../common/platform/logging.ts';
import type { Announcement } from '../../common/wire/announcement.ts';
import type { FunctionRoute, GatewaysRoute, PodRoute, RevisionRoute } from '../../common/wire/routes.ts';
import { signToken, type SigningKey } from '../../common/wire/tokens.ts';
import { ManualClock } from '../../common/platform/manual-clock.ts';
import { GATEWAY_DEFAULTS, type GatewayConfiguration } from '../configuration.ts';
import { startGateway, type Gateway } from '../start-gateway.ts';
import { call, type Answer } from './client.ts';
import { StubOperator } from './stub-operator.ts';
import { StubRuntime, type Behaviour } from './stub-runtime.ts';

/** Of the event loop: seconds. */
const MOST_TURNS = 20_000;

export const CONTROL_TOKEN = 'control';
export const KEY: SigningKey = { id: 'k1', secret: randomBytes(32).toString('base64url') };

export class GatewayFixture {
  readonly clock = new ManualClock();
  readonly registry = new Registry();
  /** Lines, as JSON. */
  readonly log: string[] = [];
  /** What the gateway draws; a test may make it deterministic. */
  random: () => number = Math.random;
  readonly #operators: StubOperator[] = [];
  readonly #runtimes: StubRuntime[] = [];
  #gateway: Gateway | undefined;
  #isClosed = false;

  static async start(configuration: Partial<GatewayConfiguration> = {}): Promise<GatewayFixture> {
    const fixture = new GatewayFixture();
    fixture.#gateway = await startGateway({
      configuration: {
        ...GATEWAY_DEFAULTS,
        name: 'gateway-0',
        controlToken: CONTROL_TOKEN,
        host: '127.0.0.1',
        ports: { http: 0, external: 0, control: 0, metrics: 0 },
        ...configuration,
      },
      clock: fixture.clock,
      random: () => fixture.random(),
      logger: createLogger('test', 'info', (line) => fixture.log.push(line)),
      registry: fixture.registry,
    });
    return fixture;
  }

  get ports(): Gateway['ports'] {
    if (this.#gateway === undefined) throw new Error('The gateway was not started.');
    return this.#gateway.ports;
  }

  /** Connects and has been greeted. */
  async operator(name?: string): Promise<StubOperator> {
    const operator = new StubOperator(this.ports.control, CONTROL_TOKEN, name);
    this.#operators.push(operator);
    await operator.hello();
    return operator;
  }

  /** An operator that leads with these functions, which the gateway has taken. */
  async leader(functions: readonly FunctionRoute[], epoch = 1, gateways?: GatewaysRoute): Promise<StubOperator> {
    const operator = await this.operator();
    operator.keys([KEY]);
    operator.routes(epoch, functions, gateways);
    await this.tookEpoch(epoch);
    return operator;
  }

  /** The gateway has routes of this epoch, and with them every line that was sent on their stream before. */
  async tookEpoch(epoch: number): Promise<void> {
    await this.until(async () => (await this.metric('pilotlight_gateway_routes_epoch')) === epoch);
  }

  async runtime(uid: string, behaviour?: Behaviour): Promise<StubRuntime> {
    const runtime = await StubRuntime.start(uid, behaviour);
    this.#runtimes.push(runtime);
    return runtime;
  }

  /** Looks again each turn of the event loop; for what has no event of its own. */
  async until(holds: () => boolean | Promise<boolean>): Promise<void> {
    for (let turn = 0; !(await holds()); turn += 1) {
      if (turn > MOST_TURNS) throw new Error('What the test waits for did not happen.');
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Requests that the gateway holds. */
  async queued(count: number): Promise<void> {
    await this.until(async () => (await this.metric('pilotlight_gateway_requests_queued')) === count);
  }

  /** A request has arrived, perhaps without its body, as an operator hears that connects now. */
  async demandSeen(): Promise<void> {
    await this.until(async () => {
      const observer = new StubOperator(this.ports.control, CONTROL_TOKEN, 'observer');
      const { revisions } = await observer.demand();
      observer.cut();
      return revisions.length > 0;
    });
  }

  async inFlight(count: number): Promise<void> {
    await this.until(async () => (await this.metric('pilotlight_gateway_requests_in_flight')) === count);
  }

  announce(runtime: StubRuntime, given: Partial<Announcement> = {}, token?: string): Promise<Answer> {
    const announcement = announcementOf(runtime, given);
    return call(this.ports.control, {
      path: '/v1/announcements',
      headers: { authorization: `Bearer ${token ?? signToken(KEY, 'announce', announcement)}` },
      body: JSON.stringify(announcement),
    });
  }

  async metric(name: string, labels: Readonly<Record<string, string>> = {}): Promise<number> {
    const metric = (await this.registry.getMetricsAsJSON()).find((one) => one.name === name);
    const values = (metric?.values ?? []) as { value: number; labels: Record<string, unknown>; metricName?: string }[];
    return values
      .filter((one) => Object.entries(labels).every(([label, value]) => one.labels[label] === value))
      .reduce((sum, { value }) => sum + value, 0);
  }

  /** Starts its end; the clock still stands. */
  beginToClose(): Promise<void> | undefined {
    return this.#gateway?.close();
  }

  /** Ends the gateway, moving the clock as far as that takes. */
  async closeGateway(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const progress = { isDone: false };
    const closed = this.#gateway?.close().then(() => {
      progress.isDone = true;
    });
    while (!progress.isDone) await this.clock.advance(1_000);
    await closed;
  }

  async close(): Promise<void> {
    for (const operator of this.#operators) operator.cut();
    await this.closeGateway();
    for (const runtime of this.#runtimes) await runtime.close();
  }
}

export function announcementOf(runtime: StubRuntime, given: Partial<Announcement> = {}): Announcement {
  return {
    namespace: 'default',
    revision: 'digits-00001',
    pod: runtime.name,
    uid: runtime.uid,
    host: '127.0.0.1',
    ports: runtime.ports,
    ...given,
  };
}

export function functionRoute(given: Partial<FunctionRoute> = {}): FunctionRoute {
  const revisions = given.revisions ?? [revisionRoute()];
  return {
    namespace: 'default',
    name: 'digits',
    visibility: 'Cluster',
    timeoutSeconds: 60,
    concurrencyLimit: 0,
    queue: { maxRequests: 1_000, maxBytes: 268_435_456, timeoutSeconds: 60 },
    traffic: revisions.slice(0, 1).map(({ name }) => ({ revision: name, percent: 100 })),
    ...given,
    revisions,
  };
}

export function revisionRoute(pods: readonly PodRoute[] = [], given: Partial<RevisionRoute> = {}): RevisionRoute {
  return { name: 'digits-00001', pods, ...given };
}
