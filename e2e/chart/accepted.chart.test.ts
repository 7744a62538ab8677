/** Every kind of installation is one that a cluster takes, asked of the API server of $KUBECONFIG without writing anything but a namespace. */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { kubectl } from '../cluster/support/kubectl.ts';
import { lint, render, VARIANTS, type Manifest } from './support/chart.ts';
import type { Workload } from './support/workloads.ts';

/** Of groups that a cluster may not have. */
const FOREIGN = ['HTTPRoute', 'PodMonitor', 'PrometheusRule'];

const namespace = `pilotlight-chart-${randomBytes(2).toString('hex')}`;

// It asks a machine that may have other things to do.
jest.setTimeout(120_000);

beforeAll(async () => {
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
  await apply([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels } }]);
});

afterAll(async () => {
  await kubectl(['delete', 'namespace', namespace, '--wait=false']);
});

describe.each(VARIANTS)('with the values "%s"', (variant) => {
  test('the chart lints', () => {
    expect(lint(variant)).toContain('1 chart(s) linted, 0 chart(s) failed');
  });

  test('the API server takes every object, field by field', async () => {
    const objects = render(variant, namespace).filter(({ kind }) => !FOREIGN.includes(kind));
    const answer = await apply(objects.map(placed), '--dry-run=server', '--validate=strict');
    expect(answer.trim().split('\n')).toHaveLength(objects.length);
  });

  test('Pod Security "restricted" takes every pod', async () => {
    const pods = render(variant, namespace).flatMap((manifest) => podOf(manifest) ?? []);
    expect(pods.map(({ metadata }) => metadata.name).sort()).toEqual([
      'pilotlight-gateway',
      'pilotlight-operator',
      'pilotlight-test',
    ]);
    // Admission refuses a pod whose account does not exist, even one that is not written.
    const accounts = new Set(pods.map(({ spec }) => (spec['serviceAccountName'] ?? 'default') as string));
    await apply(
      [...accounts].map((name) => ({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } })),
    );
    await apply(pods, '--dry-run=server');
  });
});

test('a pod that is not restricted is refused, so the above means something', async () => {
  const [pod] = render({}, namespace).flatMap((manifest) => podOf(manifest) ?? []);
  const lax = { ...pod, spec: { ...pod?.spec, hostNetwork: true } } as unknown as Manifest;
  await expect(apply([lax], '--dry-run=server')).rejects.toThrow('violates PodSecurity "restricted:latest"');
});

interface PodManifest extends Manifest {
  readonly spec: Workload['spec']['template']['spec'];
}

function podOf(manifest: Manifest): PodManifest | undefined {
  if (manifest.kind === 'Pod') return manifest as PodManifest;
  if (manifest.kind !== 'Deployment') return undefined;
  const { metadata, spec } = (manifest as Workload).spec.template;
  return { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, name: manifest.metadata.name, namespace }, spec };
}

/** What is for another namespace is tried in this one, for that one need not exist. */
function placed(manifest: Manifest): Manifest {
  if (manifest.metadata.namespace === undefined) return manifest;
  return { ...manifest, metadata: { ...manifest.metadata, namespace } };
}

/** One line an object. */
function apply(objects: readonly Manifest[], ...flags: readonly string[]): Promise<string> {
  const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects });
  return kubectl(['apply', '-f', '-', ...flags], { input });
}
