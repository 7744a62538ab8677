/**
 * A suite's place in the cluster: a namespace of its own, in which Pod Security "restricted" is enforced, with a client. Tests wait for what the
 * API server tells, and look at what a user could look at.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ModelFunction, ModelFunctionManifest } from '../../../common/api/kinds.ts';
import { LABELS } from '../../../common/api/names.ts';
import type { KubernetesObject, Resource } from '../../../operator/cluster/port.ts';
import { MODEL_FUNCTIONS, PODS, type Pod } from '../../../operator/cluster/resources.ts';
import { hasReplicas, isReady } from '../../function-state.ts';
import { Client, type Answer, type OpenRequest } from './client.ts';
import type { ClientRequest } from './client/protocol.ts';
import { writeDiagnostics } from './diagnostics.ts';
import { kubectl } from './kubectl.ts';
import { ObjectWatch } from './object-watch.ts';
import { applyObjects, deleteObject } from './objects.ts';
import { NAMESPACES } from './resources.ts';

/** On the namespaces of suites, so that those of a run that was killed can be found. */
const SUITE_LABEL = 'pilotlight.dev/e2e';

/** Of the suites that are open in this file's process. */
const diagnoses = new Set<() => Promise<void>>();
(globalThis as { onTestFailure?: () => Promise<void> }).onTestFailure = async () => {
  for (const diagnose of diagnoses) await diagnose();
};

/** Close it after the last test. When a test fails, diagnostics are written and their folder is printed. */
export async function startSuite(name: string): Promise<Suite> {
  const namespace = `pilotlight-e2e-${name}-${randomBytes(2).toString('hex')}`;
  const begun = new Date();
  const diagnose = async (): Promise<void> => {
    const folder = mkdtempSync(join(tmpdir(), `${namespace}-`));
    await writeDiagnostics(folder, namespace, begun);
    process.stderr.write(`What was so when the test failed: ${folder}\n`);
  };
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted', [SUITE_LABEL]: name };
  await applyObjects({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels } });
  const functions = new ObjectWatch(MODEL_FUNCTIONS, { namespace });
  const pods = new ObjectWatch(PODS, { namespace, labels: { [LABELS.component]: 'runtime' } });
  try {
    await Promise.all([functions.synced(), pods.synced()]);
    const client = await Client.start(namespace);
    diagnoses.add(diagnose);
    return new Suite(namespace, { functions, pods, client }, () => diagnoses.delete(diagnose));
  } catch (error) {
    await diagnose();
    await Promise.all([functions.close(), pods.close()]);
    await deleteObject(NAMESPACES, { name: namespace });
    throw error;
  }
}

interface Parts {
  readonly functions: ObjectWatch<ModelFunction>;
  readonly pods: ObjectWatch<Pod>;
  readonly client: Client;
}

export class Suite {
  readonly namespace: string;
  readonly client: Client;
  readonly functions: ObjectWatch<ModelFunction>;
  /** Of the functions. */
  readonly pods: ObjectWatch<Pod>;
  readonly #watches: { close(): Promise<void> }[];
  readonly #onClose: () => void;

  constructor(namespace: string, { functions, pods, client }: Parts, onClose: () => void) {
    this.namespace = namespace;
    this.client = client;
    this.functions = functions;
    this.pods = pods;
    this.#watches = [functions, pods];
    this.#onClose = onClose;
  }

  /** Follows other objects of the namespace too, until the suite is closed. */
  async watch<T extends KubernetesObject>(resource: Resource<T>): Promise<ObjectWatch<T>> {
    const watch = new ObjectWatch(resource, { namespace: this.namespace });
    this.#watches.push(watch);
    return watch.synced();
  }

  /** `kubectl` in the suite's namespace. */
  kubectl(...args: readonly string[]): Promise<string> {
    return kubectl([...args, '-n', this.namespace]);
  }

  apply(...manifests: readonly ModelFunctionManifest[]): Promise<string> {
    return applyObjects(
      ...manifests.map((manifest) => ({
        ...manifest,
        metadata: { ...manifest.metadata, namespace: this.namespace },
      })),
    );
  }

  /** Starts the deletion. */
  delete(name: string): Promise<void> {
    return deleteObject(MODEL_FUNCTIONS, { namespace: this.namespace, name });
  }

  /** The function, once it is as wanted. */
  untilFunction(
    name: string,
    what: string,
    reached: (fn: ModelFunction) => boolean,
    seconds?: number,
  ): Promise<ModelFunction> {
    const isIt = ({ metadata }: ModelFunction): boolean => metadata.name === name;
    const look = (all: readonly ModelFunction[]): ModelFunction | undefined =>
      all.find((fn) => isIt(fn) && reached(fn));
    return this.functions.until(`${name} ${what}`, look, seconds, isIt);
  }

  /** Its latest change is carried out, and calls are served. */
  untilReady(name: string): Promise<ModelFunction> {
    return this.untilFunction(name, 'is ready', isReady);
  }

  /** So many replicas are ready, no more and no fewer. */
  untilReplicas(name: string, replicas: number): Promise<ModelFunction> {
    return this.untilFunction(name, `has ${replicas} replicas`, (fn) => hasReplicas(fn, replicas));
  }

  /** No pod object of the function is left. */
  async untilNoPods(name: string): Promise<void> {
    await this.pods.until(`${name} has no pods`, (pods) => (ofFunction(name, pods).length === 0 ? true : undefined));
  }

  labelsOf(name: string): Readonly<Record<string, string>> {
    return { [LABELS.function]: name };
  }

  /** Of a function, those that are being deleted too. */
  podsOf(name: string): readonly Pod[] {
    return ofFunction(name, this.pods.objects);
  }

  /** How many requests are in the pod, as it says itself. */
  async requestsIn({ metadata: { name, uid } }: Pod): Promise<number> {
    // It may serve for a second already of which the API server does not know its address.
    await this.pods.until(`${name} has an address`, (pods) =>
      pods.find(({ metadata, status }) => metadata.uid === uid && status?.podIP !== undefined),
    );
    const path = `/api/v1/namespaces/${this.namespace}/pods/${name}:9090/proxy/metrics`;
    const found = /^pilotlight_runtime_requests_in_flight(?:{.*})? (\d+)$/m.exec(await kubectl(['get', '--raw', path]));
    return Number(found?.[1]);
  }

  /** As the function's callers inside the cluster reach it. */
  url(name: string, path = '/'): string {
    return `http://${name}.${this.namespace}${path}`;
  }

  send(name: string, path: string, request: Omit<ClientRequest, 'url'> = {}): Promise<Answer> {
    return this.client.send({ ...request, url: this.url(name, path) });
  }

  /** `POST …/infer` */
  infer(name: string, body: string): Promise<Answer> {
    return this.client.send(this.inference(name, body));
  }

  inference(name: string, body: string): ClientRequest {
    const headers = { 'content-type': 'application/json' };
    return { url: this.url(name, `/v2/models/${name}/infer`), body, headers };
  }

  openInference(name: string, body: string): Promise<OpenRequest> {
    return this.client.open(this.inference(name, body));
  }

  /** Its namespace goes; nobody waits for the end of that. */
  async close(): Promise<void> {
    this.#onClose();
    this.client.close();
    await Promise.all(this.#watches.map((watch) => watch.close()));
    await deleteObject(NAMESPACES, { name: this.namespace });
  }
}

function ofFunction(name: string, pods: readonly Pod[]): readonly Pod[] {
  return pods.filter(({ metadata }) => metadata.labels?.[LABELS.function] === name);
}
