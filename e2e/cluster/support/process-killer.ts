/**
 * Ends processes of pods with SIGKILL, from outside of their containers: the first process of a container ignores it when it comes from inside. It
 * finds them by the container's id, which is in the cgroup of each, from a privileged pod that sees the processes of its node.
 */
import { randomBytes } from 'node:crypto';
import type { ObjectKey } from '../../../operator/cluster/port.ts';
import { deployment, OPERATOR } from './installation.ts';
import { kubectl } from './kubectl.ts';
import { applyObjects, deleteObject, getObject } from './objects.ts';
import { PATIENCE_SECONDS } from './object-watch.ts';
import { containerIds, NAMESPACES, RUNNING_PODS } from './resources.ts';

/** `container`: the first process, and with it all others. `program`: all but the first, which may start them again. */
export type Victim = 'container' | 'program';

/** Milliseconds since the epoch: somewhere between them it happened. */
export interface Killed {
  readonly from: number;
  readonly to: number;
}

/** $1 is the container's id, $2 what to end. A process has in NSpid its number here, last that in its own container. */
const SCRIPT = `
for process in /proc/[0-9]*; do
  grep -qs "$1" "$process/cgroup" || continue
  number=$(awk '/^NSpid:/ { print $NF }' "$process/status")
  case $2/$number in
    container/1) found="$found \${process#/proc/}" ;;
    container/* | program/1) ;;
    program/*) found="$found \${process#/proc/}" ;;
  esac
done
[ -n "$found" ] || { echo "container $1 has no such process" >&2; exit 1; }
kill -9 $found`;

export class ProcessKiller {
  readonly #namespace: string;
  readonly #nodes = new Map<string, Promise<string>>();

  private constructor(namespace: string) {
    this.#namespace = namespace;
  }

  static async start(): Promise<ProcessKiller> {
    const name = `pilotlight-e2e-killer-${randomBytes(2).toString('hex')}`;
    const labels = { 'pod-security.kubernetes.io/enforce': 'privileged' };
    await applyObjects({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } });
    return new ProcessKiller(name);
  }

  /** Of the pod's only container. Throws if there is no such process. */
  async kill(key: ObjectKey, victim: Victim): Promise<Killed> {
    const pod = await getObject(RUNNING_PODS, key);
    const id = pod === undefined ? undefined : containerIds(pod)[0]?.id;
    const node = pod?.spec.nodeName;
    if (id === undefined || node === undefined) throw new Error(`Pod ${key.namespace}/${key.name} does not run.`);
    const killer = await this.#on(node);
    const from = Date.now();
    await kubectl(['exec', '-n', this.#namespace, killer, '--', 'sh', '-c', SCRIPT, 'sh', id, victim]);
    return { from, to: Date.now() };
  }

  /** What kills is there before it is wanted, so that a fault comes at once. */
  async prepare(key: ObjectKey): Promise<void> {
    const node = (await getObject(RUNNING_PODS, key))?.spec.nodeName;
    if (node !== undefined) await this.#on(node);
  }

  async close(): Promise<void> {
    await deleteObject(NAMESPACES, { name: this.#namespace });
  }

  #on(node: string): Promise<string> {
    const known = this.#nodes.get(node) ?? this.#begin(node, `killer-${this.#nodes.size}`);
    this.#nodes.set(node, known);
    return known;
  }

  async #begin(nodeName: string, name: string): Promise<string> {
    const { containers, imagePullSecrets } = (await deployment(OPERATOR)).spec.template.spec;
    await applyObjects({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { namespace: this.#namespace, name },
      spec: {
        nodeName,
        hostPID: true,
        terminationGracePeriodSeconds: 0,
        automountServiceAccountToken: false,
        ...(imagePullSecrets === undefined ? {} : { imagePullSecrets }),
        containers: [
          {
            name: 'killer',
            image: containers[0]?.image,
            imagePullPolicy: containers[0]?.imagePullPolicy,
            command: ['sleep', 'infinity'],
            securityContext: { privileged: true, runAsUser: 0 },
          },
        ],
      },
    });
    const patience = `--timeout=${PATIENCE_SECONDS}s`;
    await kubectl(['wait', '-n', this.#namespace, `pod/${name}`, '--for=condition=Ready', patience], {
      timeoutSeconds: PATIENCE_SECONDS + 10,
    });
    return name;
  }
}
