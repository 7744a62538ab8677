/**
 * Prepares the API server of a kubeconfig for the conformance suite, through the adapter itself: CRDs, two namespaces, and a TCP relay in between
 * whose connections can be cut. Only for tests.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dump, load } from 'js-yaml';
import { systemClock } from '../../../../common/platform/clock.ts';
import { createLogger } from '../../../../common/platform/logging.ts';
import type { ConformanceSubject } from '../../conformance/subject.ts';
import { WatchLog } from '../../conformance/watch-log.ts';
import type { Cluster, KubernetesObject, Resource } from '../../port.ts';
import { SECRETS } from '../../resources.ts';
import { kubernetesCluster } from '../kubernetes-cluster.ts';

const CRD_FOLDER = join(import.meta.dirname, '../../../../crds');

interface Condition {
  readonly type: string;
  readonly status: string;
}
interface CustomResourceDefinition extends KubernetesObject {
  readonly spec: object;
  readonly status?: { readonly conditions?: readonly Condition[] };
}
const DEFINITIONS: Resource<CustomResourceDefinition> = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  namespaced: false,
};
const NAMESPACES: Resource<KubernetesObject> = {
  apiVersion: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  namespaced: false,
};
const SERVICE_ACCOUNTS: Resource<KubernetesObject> = {
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  plural: 'serviceaccounts',
  namespaced: true,
};

export async function kubernetesConformanceSubject(kubeconfigPath: string): Promise<ConformanceSubject> {
  const relay = await relayTo(kubeconfigPath);
  const cluster = kubernetesCluster({
    kubeconfigPath: relay.kubeconfigPath,
    clock: systemClock,
    logger: createLogger('conformance', 'silent'),
    random: Math.random,
  });
  const run = `pilotlight-conformance-${randomBytes(4).toString('hex')}`;
  const namespaces = [`${run}-a`, `${run}-b`] as const;
  const held = { namespace: `${run}-ending`, name: 'held' };
  const endingNamespace = async (): Promise<string> => {
    await createNamespace(cluster, held.namespace);
    const finalizers = ['pilotlight.dev/conformance'];
    await cluster.create(SECRETS, { apiVersion: 'v1', kind: 'Secret', metadata: { ...held, finalizers } });
    await cluster.delete(NAMESPACES, { name: held.namespace });
    return held.namespace;
  };
  const stop = async (): Promise<void> => {
    const holder = await cluster.get(SECRETS, held).catch(() => undefined);
    if (holder !== undefined) {
      await cluster.update(SECRETS, { ...holder, metadata: { ...holder.metadata, finalizers: [] } });
    }
    for (const name of namespaces) await cluster.delete(NAMESPACES, { name }).catch(() => undefined);
    await cluster.close();
    await relay.close();
  };
  try {
    await applyDefinitions(cluster);
    for (const name of namespaces) await createNamespace(cluster, name);
  } catch (error) {
    await stop();
    throw error;
  }
  const [namespace, otherNamespace] = namespaces;
  return { cluster, namespace, otherNamespace, breakConnections: relay.cut, endingNamespace, stop };
}

async function applyDefinitions(cluster: Cluster): Promise<void> {
  const files = (await readdir(CRD_FOLDER)).filter((file) => file.endsWith('.yaml'));
  for (const file of files) {
    const wanted = load(await readFile(join(CRD_FOLDER, file), 'utf8')) as CustomResourceDefinition;
    const { name } = wanted.metadata;
    const present = await cluster.get(DEFINITIONS, { name });
    if (present === undefined) await cluster.create(DEFINITIONS, wanted);
    else await cluster.update(DEFINITIONS, { ...wanted, metadata: { ...present.metadata, ...wanted.metadata } });
    await seen(cluster, DEFINITIONS, name, ({ status }) =>
      (status?.conditions ?? []).some((it) => it.type === 'Established' && it.status === 'True'),
    );
  }
}

/** Pods are refused in a namespace until a controller has made its service account. */
async function createNamespace(cluster: Cluster, name: string): Promise<void> {
  await cluster.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  await seen(cluster, SERVICE_ACCOUNTS, 'default', () => true, name);
}

async function seen<T extends KubernetesObject>(
  cluster: Cluster,
  resource: Resource<T>,
  name: string,
  condition: (object: T) => boolean,
  namespace?: string,
): Promise<void> {
  const log = new WatchLog(cluster, resource, namespace === undefined ? {} : { namespace });
  try {
    await log.applied(name, condition);
  } finally {
    log.stop();
  }
}

interface Kubeconfig {
  readonly 'current-context': string;
  readonly contexts: readonly { readonly name: string; readonly context: { readonly cluster: string } }[];
  readonly clusters: readonly { readonly name: string; readonly cluster: { readonly server: string } }[];
}

interface Relay {
  readonly kubeconfigPath: string;
  readonly cut: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** TLS passes through untouched, so only the address of a copy of the kubeconfig differs. */
async function relayTo(kubeconfigPath: string): Promise<Relay> {
  const config = load(await readFile(kubeconfigPath, 'utf8')) as Kubeconfig;
  const context = config.contexts.find(({ name }) => name === config['current-context']);
  const entry = config.clusters.find(({ name }) => name === context?.context.cluster);
  if (entry === undefined)
    throw new Error(`${kubeconfigPath}: current-context must name a context and that a cluster.`);
  const { hostname, port, pathname } = new URL(entry.cluster.server);
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port === '' ? 443 : port) });
    near.pipe(far).pipe(near);
    for (const [socket, peer] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        peer.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const relayed = {
    ...config,
    clusters: [
      {
        name: entry.name,
        cluster: {
          ...(hostname !== '127.0.0.1' && { 'tls-server-name': hostname }),
          ...entry.cluster,
          server: `https://127.0.0.1:${(server.address() as AddressInfo).port}${pathname}`,
        },
      },
    ],
  };
  const folder = await mkdtemp(join(tmpdir(), 'pilotlight-conformance-'));
  const path = join(folder, 'kubeconfig');
  await writeFile(path, dump(relayed), { mode: 0o600 });
  const cut = async (): Promise<void> => {
    const closed = [...sockets].map((socket) => new Promise((resolve) => socket.once('close', resolve)));
    for (const socket of sockets) socket.resetAndDestroy();
    await Promise.all(closed);
  };
  return {
    kubeconfigPath: path,
    cut,
    close: async () => {
      await cut();
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true });
    },
  };
}
