/**
 * Where the benchmark runs in the cluster: a namespace of its own with a pod that may make pods and functions in it. The pod runs what it is given on
 * standard input, so that nothing of the cluster needs to be reachable from here but the API server.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { RUNTIME_POD_LABELS } from '../../../common/api/names.ts';
import { deployment, OPERATOR } from '../../cluster/support/installation.ts';
import { kubectl } from '../../cluster/support/kubectl.ts';

const POD = 'bench';
/** What has them may ask runtime pods directly, which otherwise only gateways may. */
export const ASKS_PODS = { app: POD };
/** Of a process that a signal ended: 128 and SIGINT's number. */
const ENDED = 130;
/** What would leave the namespace behind. */
const ENDS = ['SIGINT', 'SIGTERM', 'uncaughtException'] as const;

export interface Workplace {
  readonly namespace: string;
  /** The image of the operator: it has Node, and the nodes have it already. */
  readonly image: string;
  /** Runs a script as an ES module in the pod. Rejects if it fails. */
  run(script: string, args: readonly string[], onLine: (line: string) => void): Promise<void>;
  /** Takes everything away, functions and their pods included. It does so by itself when the process is interrupted or breaks. */
  remove(): Promise<void>;
}

export async function prepareWorkplace(): Promise<Workplace> {
  const image = (await deployment(OPERATOR)).spec.template.spec.containers[0]?.image ?? '';
  const namespace = `pilotlight-bench-${process.pid}`;
  let removed: Promise<unknown> | undefined;
  const remove = async (): Promise<void> => {
    removed ??= kubectl(['delete', 'namespace', namespace, '--ignore-not-found'], { timeoutSeconds: 300 });
    await removed;
    for (const end of ENDS) process.off(end, onEnd);
  };
  const onEnd = (cause: unknown): void => {
    process.stderr.write(`Ended by ${String(cause)}: taking namespace ${namespace} away, which may take a minute.\n`);
    void remove().finally(() => process.exit(ENDED));
  };
  for (const end of ENDS) process.on(end, onEnd);
  try {
    await kubectl(['create', 'namespace', namespace]);
    await kubectl(['apply', `--namespace=${namespace}`, '--filename=-'], {
      input: JSON.stringify(manifests(namespace, image)),
    });
    await kubectl(['wait', `--namespace=${namespace}`, 'pod', POD, '--for=condition=Ready', '--timeout=50s']);
  } catch (error) {
    await remove();
    throw error;
  }
  return { namespace, image, run: (script, args, onLine) => runInPod(namespace, script, args, onLine), remove };
}

async function runInPod(
  namespace: string,
  script: string,
  args: readonly string[],
  onLine: (line: string) => void,
): Promise<void> {
  // From a file: what Node reads from its standard input it keeps twice.
  const program = 'cat >/tmp/bench.mjs && exec node /tmp/bench.mjs "$@"';
  const command = ['exec', `--namespace=${namespace}`, '--stdin', POD, '--', 'sh', '-c', program, 'bench', ...args];
  const child = spawn('kubectl', command, { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  createInterface(child.stdout).on('line', onLine);
  child.stdin.end(script);
  const [code] = (await ended) as [number | null];
  if (code !== 0) throw new Error(`The part in the cluster (${args.join(' ').slice(0, 80)}) ended with ${code}.`);
}

function manifests(namespace: string, image: string): unknown {
  const metadata = { name: POD };
  return {
    apiVersion: 'v1',
    kind: 'List',
    items: [
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'Role',
        metadata,
        rules: [
          { apiGroups: [''], resources: ['pods'], verbs: ['create', 'delete', 'get', 'list', 'watch'] },
          { apiGroups: ['pilotlight.dev'], resources: ['modelfunctions'], verbs: ['create', 'delete', 'get'] },
        ],
      },
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'RoleBinding',
        metadata,
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: POD },
        subjects: [{ kind: 'ServiceAccount', name: POD, namespace }],
      },
      {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'NetworkPolicy',
        metadata,
        spec: {
          podSelector: { matchLabels: RUNTIME_POD_LABELS },
          ingress: [{ from: [{ podSelector: { matchLabels: ASKS_PODS } }] }],
        },
      },
      { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, labels: ASKS_PODS }, spec: benchSpec(image) },
    ],
  };
}

function benchSpec(image: string): unknown {
  const env = [{ name: 'POD_ADDRESS', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }];
  const command = ['node', '-e', 'setInterval(() => {}, 60_000)'];
  return { serviceAccountName: POD, ...podSpec([{ name: POD, image, command, env }]) };
}

/** Of a pod that ends at once and may do nothing. */
export function podSpec(containers: readonly Readonly<Record<string, unknown>>[]): Readonly<Record<string, unknown>> {
  const securityContext = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };
  return {
    terminationGracePeriodSeconds: 0,
    securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    containers: containers.map((container) => ({ ...container, securityContext })),
  };
}
