/**
 * The floor of what can stand before a pod: a proxy of `node:http` and undici that does nothing else, for each of some pods, all in one pod.
 */
import { join } from 'node:path';
import { RUNTIME_PORTS } from '../../../operator/pods/runtime-ports.ts';
import { kubectl } from '../../cluster/support/kubectl.ts';
import { listObjects } from '../../cluster/support/objects.ts';
import { RUNNING_PODS, type RunningPod } from '../../cluster/support/resources.ts';
import { bundle } from '../in-cluster/bundle.ts';
import { ASKS_PODS, podSpec, type Workplace } from '../in-cluster/workplace.ts';
import { addressOf } from './functions.ts';

const NAME = 'bare-proxies';
const FILE = 'proxy.mjs';
const LABELS = { component: NAME };
const FIRST_PORT = 8080;

export interface BareProxies {
  readonly pod: RunningPod;
  /** In the order of the pods that they stand before. */
  readonly ports: readonly number[];
}

/** The container of the proxy before the pod of this function. */
export function bareProxyOf(functionName: string): string {
  return `bare-proxy-${functionName}`;
}

export async function startBareProxies(
  { namespace, image }: Workplace,
  before: readonly { readonly name: string; readonly pod: RunningPod }[],
): Promise<BareProxies> {
  // Minified, for a ConfigMap holds a megabyte.
  const program = await bundle({ entryPoints: [join(import.meta.dirname, '..', 'bare-proxy.ts')], minify: true });
  const proxies = before.map(({ name, pod }, index) => ({
    name: bareProxyOf(name),
    port: FIRST_PORT + index,
    origin: `http://${addressOf(pod)}:${RUNTIME_PORTS.http}`,
  }));
  const containers = proxies.map(({ name, port, origin }) => ({
    name,
    image,
    command: ['node', `/program/${FILE}`, origin, '0.0.0.0', String(port)],
    readinessProbe: { tcpSocket: { port }, periodSeconds: 1 },
    volumeMounts: [{ name: 'program', mountPath: '/program' }],
  }));
  const spec = { ...podSpec(containers), volumes: [{ name: 'program', configMap: { name: NAME } }] };
  const objects = [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: NAME }, data: { [FILE]: program } },
    { apiVersion: 'v1', kind: 'Pod', metadata: { name: NAME, labels: { ...ASKS_PODS, ...LABELS } }, spec },
  ];
  await kubectl(['create', `--namespace=${namespace}`, '--filename=-'], {
    input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }),
  });
  await kubectl(['wait', `--namespace=${namespace}`, 'pod', NAME, '--for=condition=Ready', '--timeout=50s']);
  const [pod] = (await listObjects(RUNNING_PODS, { namespace, labels: LABELS })).objects;
  if (pod === undefined) throw new Error(`Pod ${NAME} is gone.`);
  return { pod, ports: proxies.map(({ port }) => port) };
}
