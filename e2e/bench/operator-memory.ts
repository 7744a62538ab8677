/**
 * What an operator keeps in memory: its resident set with 200 functions at zero, beside that of a process that only imported the Kubernetes client. The
 * API server is an in-memory cluster in this process, the operator a process of its own, the gateway one that has no requests. Needs Linux, for /proc.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { ModelFunction } from '../../common/api/kinds.ts';
import { API_VERSION, COMPONENTS, LABELS, PRODUCT } from '../../common/api/names.ts';
import { systemClock } from '../../common/platform/clock.ts';
import { startMemoryApiServer } from '../../operator/cluster/kubernetes/testing/memory-api-server.ts';
import { MemoryCluster } from '../../operator/cluster/memory/memory-cluster.ts';
import { PRODUCT_RESOURCES } from '../../operator/cluster/memory/product-resources.ts';
import { StubRunner } from '../../operator/cluster/memory/stub-runner.ts';
import { MODEL_FUNCTIONS, MODEL_REVISIONS, PODS } from '../../operator/cluster/resources.ts';
import { OPERATOR_ENVIRONMENT } from '../../operator/configuration.ts';
import { TestGateway } from '../../operator/gateways/test-gateway.ts';
import { formatSummary, summarise, type Summary } from './median.ts';

const FUNCTIONS = Number(process.argv[2] ?? 200);
const ROOT = join(import.meta.dirname, '..', '..');
const NAMESPACE = 'pilotlight-system';
/** Beyond the floor, in MiB. */
const BUDGET = { operator: 30, eachFunction: 0.25 };
/** Readings, a second apart, once all is at rest. */
const READINGS = 10;

const floor = await measureFloor();
const { resident, rest } = await measureOperator();
const budget = floor.median + BUDGET.operator + BUDGET.eachFunction * FUNCTIONS;
process.stdout.write(
  [
    `Memory of an operator, MiB resident: median (min to max)`,
    `  a process with the Kubernetes client  ${formatSummary(floor)}`,
    `  an operator without functions         ${formatSummary(rest)}`,
    `  an operator with ${FUNCTIONS} functions at zero  ${formatSummary(resident)}  (goal: at most ${budget.toFixed(0)})`,
    '',
  ].join('\n'),
);

async function measureFloor(): Promise<Summary> {
  const code = `import('@kubernetes/client-node').then(() => setInterval(() => undefined, 1000))`;
  const child = spawn(process.execPath, ['-e', code], { cwd: ROOT, stdio: 'inherit' });
  try {
    await pause(3000);
    return await readings(child);
  } finally {
    await end(child);
  }
}

async function measureOperator(): Promise<{ resident: Summary; rest: Summary }> {
  const directory = mkdtempSync(join(tmpdir(), 'pilotlight-bench-'));
  const cluster = new MemoryCluster({
    clock: systemClock,
    random: Math.random,
    resources: PRODUCT_RESOURCES,
    runner: new StubRunner((pod) => pod.becomeReady()),
  });
  const server = await startMemoryApiServer(cluster, systemClock);
  const gateway = await TestGateway.start();
  const heartbeat = new AbortController();
  let operator: ChildProcess | undefined;
  try {
    await createGatewayPod(cluster, gateway);
    operator = spawnOperator(directory, server.url);
    void beat(gateway, heartbeat.signal);
    await pause(5000);
    const rest = await readings(operator);
    for (let index = 0; index < FUNCTIONS; index++) await cluster.create(MODEL_FUNCTIONS, modelFunction(index));
    await untilAtZero(cluster);
    return { rest, resident: await readings(operator) };
  } finally {
    heartbeat.abort();
    if (operator !== undefined) await end(operator);
    await gateway.close();
    await server.close();
    await cluster.close();
    rmSync(directory, { recursive: true });
  }
}

/** Its pod is ready and reports, once a second, that it has nothing. */
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

async function beat(gateway: TestGateway, signal: AbortSignal): Promise<void> {
  const stream = (await gateway.stream()).hello();
  for (let sequence = 1; !signal.aborted; sequence++) {
    const uptimeSeconds = performance.now() / 1000;
    const record = { bootId: 'boot', sequence, uptimeSeconds, full: sequence === 1, revisions: [], announcements: [] };
    stream.send({ type: 'demand', ...record });
    await pause(1000);
  }
}

function spawnOperator(directory: string, server: string): ChildProcess {
  const kubeconfig = join(directory, 'kubeconfig');
  const config = {
    'current-context': 'bench',
    contexts: [{ name: 'bench', context: { cluster: 'bench', user: 'bench' } }],
    clusters: [{ name: 'bench', cluster: { server } }],
    users: [{ name: 'bench', user: {} }],
  };
  writeFileSync(kubeconfig, JSON.stringify(config));
  const names = OPERATOR_ENVIRONMENT;
  // With the arguments and the environment of the image.
  return spawn(process.execPath, ['--max-semi-space-size=2', join(ROOT, 'dist', 'operator.js')], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      NODE_ENV: 'production',
      MALLOC_TRIM_THRESHOLD_: '131072',
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
    metadata: { namespace: `team-${index % 10}`, name: `model-${index}` },
    spec: {
      model: { uri: `https://models.example/model-${index}/model.onnx` },
      resources: { limits: { cpu: '2', memory: '2Gi' } },
      scaling: { stableWindowSeconds: 6 },
    },
  };
  return manifest as unknown as ModelFunction;
}

/** Every revision has proven itself and given its pod back. */
async function untilAtZero(cluster: MemoryCluster): Promise<void> {
  for (;;) {
    await pause(1000);
    const revisions = await cluster.list(MODEL_REVISIONS);
    const pods = await cluster.list(PODS, { labels: { [LABELS.component]: COMPONENTS.runtime } });
    const proven = revisions.filter(({ status }) =>
      status?.conditions?.some(({ type, status: is }) => type === 'Proven' && is === 'True'),
    );
    process.stderr.write(`${proven.length} of ${FUNCTIONS} functions started, ${pods.length} pods are left\n`);
    if (proven.length === FUNCTIONS && pods.length === 0) return;
  }
}

async function readings(child: ChildProcess): Promise<Summary> {
  const values: number[] = [];
  for (let reading = 0; reading < READINGS; reading++) {
    await pause(1000);
    const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8')) ?? [];
    values.push(Number(kibibytes) / 1024);
  }
  return summarise(values);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
