/**
 * An operator to measure, in a process of its own: its API server is an in-memory cluster in this process, whose pods do nothing but go when they are asked to, and
 * its one gateway says once a second what demand there is and which pods have come.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { ModelFunction } from '../../common/api/kinds.ts';
import { API_VERSION, COMPONENTS, LABELS, PRODUCT } from '../../common/api/names.ts';
import { systemClock } from '../../common/platform/clock.ts';
import type { Announcement } from '../../common/wire/announcement.ts';
import { startMemoryApiServer } from '../../operator/cluster/kubernetes/testing/memory-api-server.ts';
import { MemoryCluster } from '../../operator/cluster/memory/memory-cluster.ts';
import { PRODUCT_RESOURCES } from '../../operator/cluster/memory/product-resources.ts';
import { StubRunner } from '../../operator/cluster/memory/stub-runner.ts';
import { MODEL_FUNCTIONS, MODEL_REVISIONS, PODS } from '../../operator/cluster/resources.ts';
import { OPERATOR_ENVIRONMENT } from '../../operator/configuration.ts';
import { TestGateway } from '../../operator/gateways/test-gateway.ts';
import { deployedEnvironment } from './deployed-environment.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const NAMESPACE = 'pilotlight-system';
/** Requests in each called function, all the time: fewer than what one replica takes. */
const IN_FLIGHT = 3;

export interface BenchOperator {
  readonly pid: number;
  /** Resolves once there are so many functions, and each has proven itself and given its pod back. */
  growTo(functions: number): Promise<void>;
  /** Callers of the first so many functions begin, and those of the others end. Resolves once exactly those have pods. */
  call(functions: number): Promise<void>;
  close(): Promise<void>;
}

/** @param options of Node, for the operator's process */
export async function startBenchOperator(options: readonly string[] = []): Promise<BenchOperator> {
  const directory = mkdtempSync(join(tmpdir(), 'pilotlight-bench-'));
  const pods = createServer((_request, response) => response.end());
  await once(pods.listen(0, '127.0.0.1'), 'listening');
  const { port } = pods.address() as AddressInfo;
  const announcements: Announcement[] = [];
  const cluster = new MemoryCluster({
    clock: systemClock,
    random: Math.random,
    resources: PRODUCT_RESOURCES,
    capacity: { pods: '10000' },
    runner: new StubRunner(({ pod: { metadata } }) => {
      const { namespace = '', name, uid = '', labels = {} } = metadata;
      const revision = labels[LABELS.revision];
      if (revision === undefined) return;
      announcements.push({
        namespace,
        revision,
        pod: name,
        uid,
        host: '127.0.0.1',
        ports: { http: port, control: port },
      });
    }),
  });
  const server = await startMemoryApiServer(cluster, systemClock);
  const gateway = await TestGateway.start();
  const heartbeat = new AbortController();
  await createGatewayPod(cluster, gateway);
  const child = spawnOperator(directory, server.url, options);
  let made = 0;
  let called = 0;
  void beat(gateway, { called: () => called, announcements, signal: heartbeat.signal });

  const untilPods = async (count: number): Promise<void> => {
    for (;;) {
      await pause(1000);
      const running = await cluster.list(PODS, { labels: { [LABELS.component]: COMPONENTS.runtime } });
      const proven = (await cluster.list(MODEL_REVISIONS)).filter(({ status }) =>
        status?.conditions?.some(({ type, status: is }) => type === 'Proven' && is === 'True'),
      );
      process.stderr.write(
        `${proven.length} of ${made} functions started, ${running.length} pods, ${count} are called\n`,
      );
      if (proven.length === made && running.length === count) return;
    }
  };
  return {
    pid: child.pid ?? 0,
    growTo: async (functions) => {
      for (; made < functions; made++) await cluster.create(MODEL_FUNCTIONS, modelFunction(made));
      await untilPods(called);
    },
    call: async (functions) => {
      called = functions;
      await untilPods(called);
    },
    close: async () => {
      heartbeat.abort();
      await end(child);
      pods.close();
      await gateway.close();
      await server.close();
      await cluster.close();
      rmSync(directory, { recursive: true });
    },
  };
}

/** Its pod is ready. */
async function createGatewayPod(cluster: MemoryCluster, gateway: TestGateway): Promise<void> {
  const { controlPort } = gateway.address();
  const ports = [{ name: 'control', containerPort: controlPort }];
  await cluster.create(PODS, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'gateway',
      namespace: NAMESPACE,
      labels: { [LABELS.name]: PRODUCT, [LABELS.component]: COMPONENTS.gateway },
    },
    spec: { containers: [{ name: 'gateway', image: 'gateway:1', ports }] },
  });
}

/** Reports once a second the functions that are called, as a gateway does. */
async function beat(
  gateway: TestGateway,
  {
    called,
    announcements,
    signal,
  }: { readonly called: () => number; readonly announcements: Announcement[]; readonly signal: AbortSignal },
): Promise<void> {
  const stream = (await gateway.stream()).hello();
  const totals: number[] = [];
  let before = 0;
  for (let sequence = 1; !signal.aborted; sequence++) {
    const uptimeSeconds = performance.now() / 1000;
    const busy = called();
    const revisions = Array.from({ length: Math.max(busy, before) }, (_, index) => {
      const inFlight = index < busy ? IN_FLIGHT : 0;
      const requestSeconds = (totals[index] ?? 0) + inFlight;
      totals[index] = requestSeconds;
      const { namespace, name } = nameOf(index);
      return { namespace, revision: `${name}-00001`, requestSeconds, requests: requestSeconds, inFlight, queued: 0 };
    });
    before = busy;
    const record = { bootId: 'boot', sequence, uptimeSeconds, full: sequence === 1, revisions };
    stream.send({ type: 'demand', ...record, announcements: announcements.splice(0) });
    await pause(1000);
  }
}

function spawnOperator(directory: string, server: string, options: readonly string[]): ChildProcess {
  const kubeconfig = join(directory, 'kubeconfig');
  const config = {
    'current-context': 'bench',
    contexts: [{ name: 'bench', context: { cluster: 'bench', user: 'bench' } }],
    clusters: [{ name: 'bench', cluster: { server } }],
    users: [{ name: 'bench', user: {} }],
  };
  writeFileSync(kubeconfig, JSON.stringify(config));
  const names = OPERATOR_ENVIRONMENT;
  return spawn(process.execPath, [...options, join(ROOT, 'dist', 'operator.js')], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      ...deployedEnvironment('operator'),
      [names.kubeconfig]: kubeconfig,
      [names.namespace]: NAMESPACE,
      [names.runtimeImage]: 'runtime:1',
      [names.healthPort]: '0',
      [names.logLevel]: 'error',
    },
  });
}

function modelFunction(index: number): ModelFunction {
  const manifest = {
    apiVersion: API_VERSION,
    kind: 'ModelFunction',
    metadata: nameOf(index),
    spec: {
      model: { uri: `https://models.example/model-${index}/model.onnx` },
      resources: { limits: { cpu: '2', memory: '2Gi' } },
      scaling: { stableWindowSeconds: 6 },
    },
  };
  return manifest as unknown as ModelFunction;
}

function nameOf(index: number): { readonly namespace: string; readonly name: string } {
  return { namespace: `team-${index % 10}`, name: `model-${index}` };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}
