/**
 * The whole product on this machine, for tests: real gateways and a real operator over real connections, an in-memory cluster, and pods that are
 * processes of the built runtime. Tests wait for what the cluster tells, and look at what a user could look at.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ModelFunction, ModelFunctionManifest } from '../../common/api/kinds.ts';
import { API_VERSION, LABELS } from '../../common/api/names.ts';
import { systemClock } from '../../common/platform/clock.ts';
import { createLogger } from '../../common/platform/logging.ts';
import { startLocalPlatform } from '../../cli/local/local-platform.ts';
import { read, type Reading } from '../../demo/reading.ts';
import { apply, remove } from '../../operator/cluster/apply.ts';
import type { Cluster, KubernetesObject, Resource } from '../../operator/cluster/port.ts';
import { MODEL_FUNCTIONS, PODS, type Pod } from '../../operator/cluster/resources.ts';
import { hasReplicas, isReady } from '../function-state.ts';
import { descendants, isAlive, waitUntil } from './processes.ts';
import { sendRequest, type Answer, type Sent } from './request.ts';

export const NAMESPACE = 'default';

/** Nothing that a test waits for takes longer, even on a busy machine. */
export const PATIENCE_MILLISECONDS = 30_000;
const LOG_LINES_SHOWN = 150;

type Spec = ModelFunctionManifest['spec'];

export interface PlatformParts {
  readonly cluster: Cluster;
  /** `http://127.0.0.1:8080` of each gateway. */
  readonly gateways: readonly [string, ...string[]];
  /** `/metrics` of the gateways, in the same order. */
  readonly metrics: readonly [string, ...string[]];
  close(): Promise<void>;
}

export interface Surroundings {
  /** Exists; goes with the platform. */
  readonly directory: string;
  readonly onPodLine: (pod: string, line: string) => void;
}

export type StartParts = (surroundings: Surroundings) => Promise<PlatformParts>;

/** As `pilotlight local` does it: one gateway and the operator in this process. */
async function startLocal({ directory, onPodLine }: Surroundings): Promise<PlatformParts> {
  const { cluster, gateway, metrics, close } = await startLocalPlatform({
    ports: { http: 0, metrics: 0 },
    directory,
    clock: systemClock,
    random: Math.random,
    logger: createLogger('test', 'silent'),
    runtimeLogLevel: 'info',
    onPodLine,
  });
  return { cluster, gateways: [gateway], metrics: [metrics], close };
}

/** When a test of the file fails, what the pods wrote is shown. Close it after the last one. */
export async function startPlatform(start: StartParts = startLocal): Promise<Platform> {
  const directory = mkdtempSync(join(tmpdir(), 'pilotlight-e2e-'));
  const log = new PodLog();
  (globalThis as { onTestFailure?: () => void }).onTestFailure = () => process.stderr.write(`${log.end()}\n`);
  const parts = await start({ directory, onPodLine: (pod, line) => log.add(pod, line) });
  return new Platform(parts, directory, log);
}

export class Platform {
  readonly parts: PlatformParts;
  readonly #directory: string;
  readonly #log: PodLog;

  constructor(parts: PlatformParts, directory: string, log: PodLog) {
    this.parts = parts;
    this.#directory = directory;
    this.#log = log;
  }

  get cluster(): Cluster {
    return this.parts.cluster;
  }

  /** As `kubectl apply` does. Windows are the shortest that there are, unless the spec says otherwise. */
  async apply(name: string, { scaling, ...spec }: Spec): Promise<void> {
    const manifest: ModelFunctionManifest = {
      apiVersion: API_VERSION,
      kind: 'ModelFunction',
      metadata: { name, namespace: NAMESPACE },
      spec: { ...spec, scaling: { stableWindowSeconds: 6, ...scaling } },
    };
    // The cluster adds what the manifest leaves to the schema's defaults.
    await apply(this.cluster, MODEL_FUNCTIONS, manifest as ModelFunction);
  }

  delete(name: string): Promise<void> {
    return remove(this.cluster, MODEL_FUNCTIONS, { namespace: NAMESPACE, name });
  }

  /** What `look` finds among the objects of a resource, at the first moment at which it finds something. */
  async until<T extends KubernetesObject, Found>(
    what: string,
    resource: Resource<T>,
    look: (objects: readonly T[]) => Found | undefined,
  ): Promise<Found> {
    const stop = new AbortController();
    const objects = new Map<string, T>();
    let cancel: () => void = () => undefined;
    try {
      return await new Promise<Found>((resolve, reject) => {
        cancel = systemClock.after(PATIENCE_MILLISECONDS, () => {
          const seen = JSON.stringify([...objects.values()].map(summary), undefined, 1);
          reject(new Error(`Waited in vain until ${what}. ${resource.plural} now: ${seen}`));
        });
        let synced = false;
        this.cluster.watch(
          resource,
          { namespace: NAMESPACE },
          (event) => {
            if (event.type === 'Synced') synced = true;
            else if (event.type === 'Deleted') objects.delete(event.object.metadata.name);
            else objects.set(event.object.metadata.name, event.object);
            const found = synced ? look([...objects.values()]) : undefined;
            if (found !== undefined) resolve(found);
          },
          stop.signal,
        );
      });
    } finally {
      cancel();
      stop.abort();
    }
  }

  /** The function, once it is as wanted. */
  untilFunction(name: string, what: string, reached: (fn: ModelFunction) => boolean): Promise<ModelFunction> {
    return this.until(`${name} ${what}`, MODEL_FUNCTIONS, (all) =>
      all.find((each) => each.metadata.name === name && reached(each)),
    );
  }

  /** The latest change of the manifest is carried out, and calls are served. */
  untilReady(name: string): Promise<ModelFunction> {
    return this.untilFunction(name, 'is ready', isReady);
  }

  /** Once requests find the function, ready or not. A body that no gateway takes is refused at once, and wakes nobody. */
  async untilRouted(name: string): Promise<void> {
    const tooLarge = { method: 'POST', headers: { 'content-length': 1e12 } };
    const isRouted = async (): Promise<boolean> => (await this.send(name, '/', tooLarge)).status === 413;
    await waitUntil(`${name} is routed`, isRouted, PATIENCE_MILLISECONDS);
  }

  /** Once so many replicas are ready, no more and no fewer. */
  untilReplicas(name: string, replicas: number): Promise<ModelFunction> {
    return this.untilFunction(name, `has ${replicas} replicas`, (fn) => hasReplicas(fn, replicas));
  }

  /** Once the last pod is gone, its process too. */
  async untilNoPods(name: string): Promise<void> {
    await this.until(
      `${name} has no pods`,
      PODS,
      (pods) => pods.every(({ metadata }) => metadata.labels?.[LABELS.function] !== name) || undefined,
    );
  }

  /** Pods of a function that are not being deleted. */
  async pods(name: string): Promise<readonly Pod[]> {
    const pods = await this.cluster.list(PODS, { namespace: NAMESPACE, labels: { [LABELS.function]: name } });
    return pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  }

  /** Once the gateway counts the function's requests so. There is no event for it, so its metrics are read again and again. */
  async untilLoad(name: string, what: string, reached: (reading: Reading) => boolean, gateway = 0): Promise<void> {
    const { metrics } = this.parts;
    await waitUntil(
      `${name} has ${what}`,
      async () => reached(await read(metrics[gateway] ?? metrics[0], name)),
      PATIENCE_MILLISECONDS,
    );
  }

  /** The only pod of a function that is not being deleted, once it is another one than before. */
  onlyPod(name: string, before?: Pod): Promise<Pod> {
    return this.until(`${name} has another pod`, PODS, (pods) => {
      const [first, ...more] = pods.filter(
        ({ metadata: { labels, uid, deletionTimestamp } }) =>
          labels?.[LABELS.function] === name && uid !== before?.metadata.uid && deletionTimestamp === undefined,
      );
      return more.length === 0 ? first : undefined;
    });
  }

  /** Once so many requests are in the pod, as it says itself. */
  async untilInPod({ metadata: { name } }: Pod, requests: number): Promise<void> {
    const { metrics } = await this.podPorts(name);
    const isSo = async (): Promise<boolean> => {
      const { body } = await sendRequest(`http://127.0.0.1:${metrics}/metrics`);
      return new RegExp(`^pilotlight_runtime_requests_in_flight{.*} ${requests}$`, 'm').test(body.toString());
    };
    await waitUntil(`${name} has ${requests} requests`, isSo, PATIENCE_MILLISECONDS);
  }

  /** Where a pod listens; it need not have begun to. */
  async podPorts(pod: string): Promise<PodPorts> {
    let ports: PodPorts | undefined;
    await waitUntil(`${pod} listens`, () => (ports = this.#log.ports(pod)) !== undefined, PATIENCE_MILLISECONDS);
    if (ports === undefined) throw new Error(`Pod ${pod} does not listen.`);
    return ports;
  }

  /** Sends to a path of the function, through the first gateway or another one. */
  send(name: string, path: string, request: Sent = {}, gateway = 0): Promise<Answer> {
    return sendRequest(this.url(name, path, gateway), request);
  }

  /** `POST …/infer`. */
  infer(name: string, body: string | Buffer, request: Sent = {}, gateway = 0): Promise<Answer> {
    return this.send(name, `/v2/models/${name}/infer`, { method: 'POST', body, ...request }, gateway);
  }

  url(name: string, path: string, gateway = 0): string {
    const { gateways } = this.parts;
    return `${gateways[gateway] ?? gateways[0]}/functions/${NAMESPACE}/${name}${path}`;
  }

  /** Ends everything; throws if a process is left. */
  async close(): Promise<void> {
    const processes = await descendants(process.pid);
    await this.parts.close();
    rmSync(this.#directory, { recursive: true, force: true });
    await waitUntil(
      `no process is left of ${processes.map(({ command }) => command).join('; ')}`,
      () => !processes.some(({ pid }) => isAlive(pid)),
      PATIENCE_MILLISECONDS,
    );
  }
}

export interface PodPorts {
  readonly http: number;
  readonly control: number;
  readonly metrics: number;
}

/** Lines of all pods, and where each listens, which it logs. */
export class PodLog {
  readonly #lines: string[] = [];
  readonly #ports = new Map<string, PodPorts>();

  add(pod: string, line: string): void {
    this.#lines.push(`${pod}  ${line}`);
    if (!line.includes('"Began to listen"')) return;
    const { ports } = JSON.parse(line) as { ports: PodPorts };
    this.#ports.set(pod, ports);
  }

  ports(pod: string): PodPorts | undefined {
    return this.#ports.get(pod);
  }

  end(): string {
    return this.#lines.slice(-LOG_LINES_SHOWN).join('\n');
  }
}

function summary({ metadata, ...rest }: KubernetesObject): object {
  return { name: metadata.name, status: (rest as { status?: unknown }).status };
}
