/** The product with several gateways, each a process of its own, and everything that a test may do to them. */
import { randomBytes } from 'node:crypto';
import { Registry } from 'prom-client';
import { localPods } from '../../cli/local/local-pods.ts';
import { systemClock } from '../../common/platform/clock.ts';
import { createLogger } from '../../common/platform/logging.ts';
import { ANNOUNCEMENTS_PATH, type Announcement } from '../../common/wire/announcement.ts';
import { signToken, type SigningKey } from '../../common/wire/tokens.ts';
import { MemoryCluster } from '../../operator/cluster/memory/memory-cluster.ts';
import { PRODUCT_RESOURCES } from '../../operator/cluster/memory/product-resources.ts';
import { startOperator } from '../../operator/operator.ts';
import { operatorConfiguration } from '../../operator/configuration-fixture.ts';
import { GatewayProcess } from './gateway-process.ts';
import { NAMESPACE, type PlatformParts, type Surroundings } from './platform.ts';
import { Relay } from './relay.ts';
import { sendRequest, type Answer } from './request.ts';

export class Fleet {
  readonly #controlToken = randomBytes(32).toString('base64url');
  readonly #key: SigningKey = { id: 'test', secret: randomBytes(32).toString('base64url') };
  readonly gateways: GatewayProcess[] = [];
  /** Between the operator, and the pods, and each gateway's control port. */
  readonly relays: Relay[] = [];

  /** For `startPlatform`. */
  async start({ directory, onPodLine }: Surroundings): Promise<PlatformParts> {
    for (const name of ['gateway-0', 'gateway-1']) {
      const gateway = await GatewayProcess.start(name, this.#controlToken, (line) => onPodLine(name, line));
      this.gateways.push(gateway);
      this.relays.push(await Relay.start(gateway.ports.control));
    }
    const clock = systemClock;
    const random = Math.random;
    const pods = localPods({ clock, directory, onLine: onPodLine });
    const cluster = new MemoryCluster({ clock, random, resources: PRODUCT_RESOURCES, runner: pods });
    const operator = await startOperator({
      credentials: { token: this.#controlToken, signingKeys: [this.#key] },
      configuration: operatorConfiguration({
        images: { cpu: 'local', cuda: 'local' },
        gateways: this.gateways.map(({ name }, at) => ({
          id: name,
          host: '127.0.0.1',
          controlPort: this.relays[at]?.port ?? 0,
        })),
      }),
      cluster,
      clock,
      random,
      logger: createLogger('test', 'silent'),
      registry: new Registry(),
    });
    const [first, second] = this.gateways.map(({ ports }) => ports);
    if (first === undefined || second === undefined) throw new Error('Two gateways were started.');
    return {
      cluster,
      gateways: [`http://127.0.0.1:${first.http}`, `http://127.0.0.1:${second.http}`],
      metrics: [`http://127.0.0.1:${first.metrics}/metrics`, `http://127.0.0.1:${second.metrics}/metrics`],
      close: async () => {
        await Promise.all(this.gateways.map((gateway) => gateway.close()));
        await operator.close();
        await Promise.all(this.relays.map((relay) => relay.close()));
        await cluster.close();
        await pods.close();
      },
    };
  }

  /** The token that the operator would give to this pod. */
  tokenOf(revision: string, pod: string): string {
    return signToken(this.#key, 'announce', { namespace: NAMESPACE, revision, pod });
  }

  /** Tells the first gateway that a pod is ready. */
  announce(announcement: Omit<Announcement, 'namespace' | 'host'>, token: string | undefined): Promise<Answer> {
    return sendRequest(`http://127.0.0.1:${this.gateways[0]?.ports.control ?? 0}${ANNOUNCEMENTS_PATH}`, {
      method: 'POST',
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      body: JSON.stringify({ namespace: NAMESPACE, host: '127.0.0.1', ...announcement }),
    });
  }
}
