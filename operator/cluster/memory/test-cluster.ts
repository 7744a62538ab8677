/** An in-memory cluster for tests: time stands still until it is advanced, uids come from a fixed seed, and the product's CRDs are installed. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';
import type { Definition } from '../../../common/api/admission/definition.ts';
import { ManualClock } from '../../../common/platform/manual-clock.ts';
import type { Pod, Secret } from '../resources.ts';
import { customResources } from './custom-resource.ts';
import { MemoryCluster, type MemoryClusterOptions } from './memory-cluster.ts';
import type { ResourceDefinition } from './resource-definition.ts';
import { StubRunner } from './stub-runner.ts';

const CRD_FOLDER = join(import.meta.dirname, '../../../crds');

export interface TestCluster {
  readonly cluster: MemoryCluster;
  readonly clock: ManualClock;
  readonly runner: StubRunner;
  /** Lets everything happen that needs no time. */
  readonly settle: () => Promise<void>;
}

export function testCluster(options: Partial<MemoryClusterOptions> = {}): TestCluster {
  const clock = new ManualClock();
  const runner = new StubRunner();
  const cluster = new MemoryCluster({
    clock,
    random: seededRandom(1),
    resources: productResources(),
    runner,
    ...options,
  });
  return { cluster, clock, runner, settle: () => clock.advance(0) };
}

/** ModelFunction and ModelRevision, from their CRDs. */
export function productResources(): ResourceDefinition[] {
  return readdirSync(CRD_FOLDER).flatMap((file) =>
    customResources(load(readFileSync(join(CRD_FOLDER, file), 'utf8')) as Definition),
  );
}

/** Marsaglia's xorshift32: the same numbers each time, in [0, 1). */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** A pod of the namespace `default` that is not restarted. */
export function testPod(name: string, spec: Partial<Pod['spec']> = {}): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default' },
    spec: { containers: [{ name: 'runtime', image: 'runtime:1' }], restartPolicy: 'Never', ...spec },
  };
}

/** A Secret of the namespace `default`; the values are given in plain text. */
export function testSecret(name: string, values: Readonly<Record<string, string>> = {}): Secret {
  const data = Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString('base64')] as const);
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: 'default' }, data: Object.fromEntries(data) };
}
