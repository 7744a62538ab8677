/**
 * Tells a Prometheus outside of the cluster which pods there are, with the labels that its own discovery in a cluster gives them (not every build of
 * Prometheus has that, Debian's does not). One target for each port of a container, as there.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { LABELS, PRODUCT } from '../../../common/api/names.ts';
import { PODS, type Pod } from '../../../operator/cluster/resources.ts';
import { ObjectWatch } from './object-watch.ts';

export interface Target {
  readonly targets: readonly [string];
  readonly labels: Readonly<Record<string, string>>;
}

export class PodDiscovery {
  readonly url: string;
  readonly #watch: ObjectWatch<Pod>;
  readonly #server: Server;

  private constructor(watch: ObjectWatch<Pod>, server: Server) {
    this.#watch = watch;
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async start(namespaces: readonly string[]): Promise<PodDiscovery> {
    const watch = new ObjectWatch(PODS, { labels: { [LABELS.partOf]: PRODUCT } });
    await watch.synced();
    const server = createServer((_, response) => {
      const pods = watch.objects.filter(({ metadata }) => namespaces.includes(metadata.namespace ?? ''));
      response.setHeader('content-type', 'application/json').end(JSON.stringify(pods.flatMap(targetsOf)));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new PodDiscovery(watch, server);
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await this.#watch.close();
  }
}

function targetsOf({ metadata, spec, status }: Pod): Target[] {
  const { namespace = '', name, labels = {} } = metadata;
  const podIP = status?.podIP;
  if (podIP === undefined) return [];
  const ports = spec.containers.flatMap((container) => container.ports ?? []);
  return ports.map((port) => ({
    targets: [`${podIP}:${port.containerPort}`],
    labels: {
      __meta_kubernetes_namespace: namespace,
      __meta_kubernetes_pod_name: name,
      __meta_kubernetes_pod_container_port_name: port.name ?? '',
      __meta_kubernetes_pod_container_port_number: String(port.containerPort),
      ...Object.fromEntries(
        Object.entries(labels).map(([label, value]) => [
          `__meta_kubernetes_pod_label_${label.replaceAll(/[^a-zA-Z0-9_]/g, '_')}`,
          value,
        ]),
      ),
    },
  }));
}
