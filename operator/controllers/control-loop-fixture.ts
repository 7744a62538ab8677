/** The control loop on an in-memory cluster, with one gateway and pods that do what the test says. Time stands still until it is walked. */
import { Registry } from 'prom-client';
import type { ModelFunction, ModelFunctionManifest, ModelRevision } from '../../common/api/kinds.ts';
import { API_VERSION, LABELS } from '../../common/api/names.ts';
import { wait } from '../../common/platform/clock.ts';
import { createLogger } from '../../common/platform/logging.ts';
import type { ManualClock } from '../../common/platform/manual-clock.ts';
import type { Announcement } from '../../common/wire/announcement.ts';
import type { FunctionName, FunctionRoute } from '../../common/wire/routes.ts';
import type { Budget } from '../capacity/budget.ts';
import { apply } from '../cluster/apply.ts';
import { seededRandom, testCluster, type TestCluster } from '../cluster/memory/test-cluster.ts';
import type { MemoryClusterOptions } from '../cluster/memory/memory-cluster.ts';
import { MODEL_FUNCTIONS, MODEL_REVISIONS, PODS, type Pod } from '../cluster/resources.ts';
import { DemandLedger } from '../gateways/demand-ledger.ts';
import type { DrainAnswer } from '../pods/drain-client.ts';
import { DEFAULT_POD_SETTINGS } from '../pods/pod-settings.ts';
import { startControllers, type Controllers } from './start-controllers.ts';

export const NAMESPACE = 'default';

/** Windows that a test can walk through. */
export const SHORT_SCALING = { stableWindowSeconds: 6, startTimeoutSeconds: 60 };

type Spec = ModelFunctionManifest['spec'];

export interface Present {
  readonly inFlight?: number;
  readonly queued?: number;
}

export class ControlLoop {
  readonly cluster: TestCluster['cluster'];
  readonly runner: TestCluster['runner'];
  readonly clock: ManualClock;
  readonly routes = new Map<string, FunctionRoute>();
  /** How often a route was handed on. */
  published = 0;
  /** Answers of pods that are asked to drain, by name; the others drain. */
  readonly drains = new Map<string, DrainAnswer>();
  readonly asked: string[] = [];
  /** How long it takes until a pod is known not to answer. */
  unreachableMilliseconds = 0;
  /** What each pod that was asked answered last, by uid. */
  readonly answers = new Map<string, DrainAnswer>();
  registry = new Registry();
  /** Of the tokens of new pods. */
  signingKey = { id: 'k', secret: 'c2VjcmV0' };
  /** As the next operator is told. */
  networkPolicies = true;
  budgets: readonly Budget[] = [];
  #ledger: DemandLedger;
  readonly #present = new Map<string, { inFlight: number; queued: number; requestSeconds: number }>();
  readonly #announced = new Map<string, Announcement>();
  #controllers: Controllers | undefined;
  #sequence = 0;

  constructor(options: Partial<MemoryClusterOptions> = {}) {
    const { cluster, clock, runner } = testCluster(options);
    this.cluster = cluster;
    this.clock = clock;
    this.runner = runner;
    this.#ledger = new DemandLedger(0);
  }

  async start(): Promise<this> {
    const starting = startControllers({
      cluster: this.cluster,
      clock: this.clock,
      random: seededRandom(2),
      logger: createLogger('test', 'silent'),
      registry: this.registry,
      demand: this.#ledger,
      askToDrain: async (_address, token) => {
        const answer = this.#answer(token);
        if (answer === 'Unreachable') await wait(this.clock, this.unreachableMilliseconds);
        return answer;
      },
      sink: {
        publish: (route) => {
          this.published += 1;
          this.routes.set(route.name, route);
        },
        remove: ({ name }: FunctionName) => this.routes.delete(name),
      },
      gateways: () => ['10.0.0.1:9091'],
      images: { cpu: 'runtime:1', cuda: 'runtime:1-cuda' },
      url: (namespace, name, tag) => `http://${tag === undefined ? '' : `${tag}--`}${name}.${namespace}`,
      signingKey: () => this.signingKey,
      logLevel: 'info',
      podSettings: DEFAULT_POD_SETTINGS,
      budgets: this.budgets,
      gatewayHost: 'pilotlight-gateway.pilotlight-system.svc.cluster.local',
      operatorNamespace: 'pilotlight-system',
      networkPolicies: this.networkPolicies,
    });
    await this.settle();
    this.#controllers = await starting;
    this.#controllers.lead();
    await this.settle();
    return this;
  }

  /** Another operator takes over, which knows nothing; the gateway tells it all. Nobody sees what happens meanwhile. */
  async restart(meanwhile?: () => Promise<void>): Promise<void> {
    await this.#controllers?.close();
    await meanwhile?.();
    this.registry = new Registry();
    // Its first update says everything: what it does not name is gone.
    this.routes.clear();
    this.#ledger = new DemandLedger(this.clock.monotonic() / 1000);
    await this.start();
    await this.#record([...this.#announced.values()]);
  }

  async follow(): Promise<void> {
    this.#controllers?.follow();
    await this.settle();
  }

  async lead(): Promise<void> {
    this.#controllers?.lead();
    await this.settle();
  }

  /** Throws if a timer is left. */
  async close(): Promise<void> {
    await this.#controllers?.close();
    await this.cluster.close();
    const { pending } = this.clock;
    if (pending > 0) throw new Error(`The control loop was closed and left ${pending} timers.`);
  }

  async apply(name: string, spec: Partial<Spec> = {}): Promise<void> {
    await this.write(name, spec);
    await this.settle();
  }

  /** `apply`, without what follows from it. */
  async write(name: string, spec: Partial<Spec>): Promise<void> {
    const manifest = {
      apiVersion: API_VERSION,
      kind: 'ModelFunction',
      metadata: { name, namespace: NAMESPACE },
      spec: { model: { uri: 'https://models/digits.onnx' }, ...spec },
    };
    await apply(this.cluster, MODEL_FUNCTIONS, manifest as ModelFunction);
  }

  async delete(name: string): Promise<void> {
    await this.cluster.delete(MODEL_FUNCTIONS, { namespace: NAMESPACE, name });
    await this.settle();
  }

  /** Lets everything happen that needs no time. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 10; turn++) await this.clock.advance(0);
  }

  /** Seconds go by, with the gateway's heartbeat in each. */
  async walk(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second++) {
      await this.clock.advance(1000);
      for (const demand of this.#present.values()) demand.requestSeconds += demand.inFlight + demand.queued;
      await this.#record([]);
    }
  }

  /** What the gateway has for the revision from now on. */
  async demand(revision: string, { inFlight = 0, queued = 0 }: Present): Promise<void> {
    const requestSeconds = this.#present.get(revision)?.requestSeconds ?? 0;
    this.#present.set(revision, { inFlight, queued, requestSeconds });
    await this.#record([]);
  }

  /** The pod tells the gateway that it is ready, and the gateway tells the operator. */
  async announce(podName: string, more: Partial<Announcement> = {}): Promise<void> {
    await this.announcePod(await this.pod(podName), more);
  }

  async announcePod({ metadata }: Pod, more: Partial<Announcement> = {}): Promise<void> {
    const ordinal = Number(metadata.name.slice(metadata.name.lastIndexOf('-') + 1));
    const announcement = {
      namespace: NAMESPACE,
      revision: metadata.labels?.[LABELS.revision] ?? '',
      pod: metadata.name,
      uid: metadata.uid ?? '',
      host: '127.0.0.1',
      ports: { http: 4000 + ordinal, control: 5000 + ordinal },
      ...more,
    };
    this.#announced.set(announcement.uid, announcement);
    await this.#record([announcement]);
  }

  async function(name: string): Promise<ModelFunction> {
    return found(await this.cluster.get(MODEL_FUNCTIONS, { namespace: NAMESPACE, name }), name);
  }

  async revision(name: string): Promise<ModelRevision> {
    return found(await this.cluster.get(MODEL_REVISIONS, { namespace: NAMESPACE, name }), name);
  }

  async pod(name: string): Promise<Pod> {
    return found(await this.cluster.get(PODS, { namespace: NAMESPACE, name }), name);
  }

  async revisions(): Promise<string[]> {
    return (await this.cluster.list(MODEL_REVISIONS)).map(({ metadata }) => metadata.name).sort();
  }

  /** Names of the pods that are not being deleted. */
  async pods(): Promise<string[]> {
    const pods = await this.cluster.list(PODS);
    return pods
      .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
      .map(({ metadata }) => metadata.name)
      .sort();
  }

  /** `True Ready: message` */
  async condition(object: 'function' | 'revision', name: string, type: string): Promise<string> {
    const { status } = object === 'function' ? await this.function(name) : await this.revision(name);
    const condition = status?.conditions?.find((each) => each.type === type);
    return condition === undefined ? 'none' : `${condition.status} ${condition.reason}: ${condition.message}`;
  }

  async #record(announcements: readonly Announcement[]): Promise<void> {
    const now = this.clock.monotonic() / 1000;
    this.#ledger.record(
      'gateway',
      {
        type: 'demand',
        bootId: 'boot',
        sequence: ++this.#sequence,
        uptimeSeconds: now,
        full: false,
        revisions: [...this.#present].map(([revision, demand]) => ({
          namespace: NAMESPACE,
          revision,
          requests: 0,
          ...demand,
        })),
        announcements,
      },
      now,
    );
    for (const announcement of announcements) this.#controllers?.announce(announcement);
    await this.settle();
  }

  /** Tokens are not secret here: the pod is told by who signed for it. */
  #answer(token: string): DrainAnswer {
    const pod = this.runner.started.findLast(({ environment }) => environment['PILOTLIGHT_DRAIN_TOKEN'] === token);
    const name = pod?.pod.metadata.name ?? 'nobody';
    this.asked.push(name);
    if (pod === undefined || pod.signals.length > 0) return 'Unreachable';
    const answer = this.drains.get(name) ?? 'Draining';
    this.answers.set(pod.pod.metadata.uid ?? '', answer);
    return answer;
  }
}

function found<T>(object: T | undefined, name: string): T {
  if (object === undefined) throw new Error(`There is no ${name}.`);
  return object;
}
