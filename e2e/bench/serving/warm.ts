/**
 * What stands before a pod costs: time beside the same pod asked directly and through a bare proxy, and processor time by container. Behind the gateway and behind Knative runs the
 * same image with the same specification of its model, one replica each.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ModelFunctionManifest } from '../../../common/api/kinds.ts';
import { RUNTIME_PORTS } from '../../../operator/pods/runtime-ports.ts';
import { Client } from '../../cluster/support/client.ts';
import { modelFunction } from '../../cluster/support/manifests.ts';
import { listObjects } from '../../cluster/support/objects.ts';
import { RUNNING_PODS, type RunningPod } from '../../cluster/support/resources.ts';
import { WIDE, writeWide } from '../runtime/models.ts';
import type { AskedModel } from '../runtime/requests.ts';
import { startBareProxies } from './bare-proxies.ts';
import { ContainerCpu } from './container-cpu.ts';
import { addressOf, GATEWAY_PORT, gatewayPods, makeFunctions, podsOfFunction } from './functions.ts';
import { knativeImage } from './knative-image.ts';
import { ACTIVATOR_PORT, makeServices, REVISION_LABEL, revisionHeaders, type Serving } from './knative.ts';
import { twinContainer } from './knative-twin.ts';
import { runPlan, type Bench } from './part.ts';
import type { Target } from './inside/target.ts';
import type { WarmPlan } from './inside/warm.ts';
import { printWarm, type WarmMeasurement } from './warm-figures.ts';

const MILLISECONDS = 1500;
const CONNECTIONS = [1, 16, 256];

const SMALL: AskedModel = { name: 'small', input: { name: 'pixels', shape: [1, 64] } };
const LARGE: AskedModel = { name: 'large', input: { name: 'x', shape: [1, WIDE] } };

const NOBODY: Serving = { revisions: [] };

export async function measureWarm(bench: Bench, rounds: number): Promise<string[]> {
  const { namespace } = bench.workplace;
  await makeFunctions(namespace, [manifest(SMALL), manifest(LARGE, { uri: await serveLargeModel(namespace) })]);
  const functions = await Promise.all(
    [SMALL, LARGE].map(async ({ name }) => ({ name, pod: await onlyPod(namespace, name) })),
  );
  const behindGateway = functions.map(({ pod }) => pod);
  const serving = bench.knative === undefined ? NOBODY : await serveByKnative(namespace, behindGateway);
  const behindKnative = 'revisions' in serving ? await twinsOf(namespace, serving.revisions) : [];
  const gateways = await gatewayPods();
  const proxies = await startBareProxies(bench.workplace, functions);
  const measured = [...gateways, proxies.pod, ...behindGateway, ...behindKnative.map(({ pod }) => pod)];
  const cpu = ContainerCpu.find(bench.knative === undefined ? measured : [...measured, bench.knative.activator]);

  const bodies = [SMALL, LARGE].map((model, index) => {
    const targets: Target[] = [
      direct('pod', behindGateway[index]),
      {
        name: 'gateway',
        host: addressOf(gateways[0] ?? missing('gateway')),
        port: GATEWAY_PORT,
        headers: { host: `${model.name}.${namespace}` },
      },
      { name: 'bare proxy', host: addressOf(proxies.pod), port: proxies.ports[index] ?? missing('proxy'), headers: {} },
    ];
    const twin = behindKnative[index];
    if (bench.knative !== undefined && twin !== undefined) {
      const host = addressOf(bench.knative.activator);
      const headers = revisionHeaders(namespace, twin.revision);
      targets.push(direct('pod of Knative', twin.pod), { name: 'Knative', host, port: ACTIVATOR_PORT, headers });
    }
    return { model, targets };
  });
  const plan: WarmPlan = { rounds, milliseconds: MILLISECONDS, connections: CONNECTIONS, bodies };
  const results: WarmMeasurement[] = [];
  let before = cpu?.read() ?? {};
  await runPlan(bench, 'warm', plan, (report) => {
    if ('begins' in report) before = cpu?.read() ?? {};
    if (!('warm' in report) || !report.warm.counted) return;
    const spent = Object.entries(cpu?.read() ?? {}).map(
      ([name, after]) => [name, after - (before[name] ?? 0)] as const,
    );
    const each = spent.map(([name, microseconds]) => [name, microseconds / report.warm.requests] as const);
    results.push({ ...report.warm, cpu: Object.fromEntries(each) });
  });
  const problem = 'problem' in serving ? [serving.problem] : [];
  return [...printWarm(results, cpu !== undefined), ...problem];
}

function manifest({ name }: AskedModel, model?: ModelFunctionManifest['spec']['model']): ModelFunctionManifest {
  return modelFunction(name, {
    ...(model === undefined ? {} : { model }),
    resources: {},
    scaling: { minReplicas: 1, maxReplicas: 1 },
  });
}

/** Of 2.4 MB, which no image has: from a pod in the cluster. */
async function serveLargeModel(namespace: string): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'pilotlight-bench-'));
  try {
    const path = join(directory, 'model.onnx');
    writeWide(path);
    const client = await Client.start(namespace);
    try {
      return await client.serveModel('/large.onnx', readFileSync(path));
    } finally {
      client.close();
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
}

interface Twin {
  readonly pod: RunningPod;
  readonly revision: string;
}

/** What these pods run, one replica each, with the activator always in the way, as the gateway is. */
async function serveByKnative(namespace: string, pods: readonly RunningPod[]): Promise<Serving> {
  const image = await knativeImage();
  const services = [SMALL, LARGE].map(({ name }, index) => ({
    name: `knative-${name}`,
    autoscaling: { 'min-scale': '1', 'max-scale': '1', 'target-burst-capacity': '-1' },
    container: twinContainer(image, pods[index]?.spec.containers[0]),
  }));
  return makeServices(namespace, services);
}

async function twinsOf(namespace: string, revisions: readonly string[]): Promise<Twin[]> {
  return Promise.all(
    revisions.map(async (revision) => {
      const labels = { [REVISION_LABEL]: revision };
      const [pod] = (await listObjects(RUNNING_PODS, { namespace, labels })).objects;
      return { revision, pod: pod ?? missing(revision) };
    }),
  );
}

async function onlyPod(namespace: string, name: string): Promise<RunningPod> {
  const [pod, ...more] = await podsOfFunction(namespace, name);
  if (pod === undefined || more.length > 0) throw new Error(`Function ${name} has ${more.length} pods instead of one.`);
  return pod;
}

function direct(name: string, pod: RunningPod | undefined): Target {
  return { name, host: addressOf(pod ?? missing(name)), port: RUNTIME_PORTS.http, headers: {} };
}

function missing(what: string): never {
  throw new Error(`There is no pod of ${what}.`);
}
