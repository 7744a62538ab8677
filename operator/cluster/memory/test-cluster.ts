/** An in-memory cluster for tests: time stands still until it is advanced, uids come from a fixed seed, and the product's CRDs are installed. */
import { ManualClock } from '../../../common/platform/manual-clock.ts';
import type { Pod, Secret } from '../resources.ts';
import { MemoryCluster, type MemoryClusterOptions } from './memory-cluster.ts';
import { PRODUCT_RESOURCES } from './product-resources.ts';
import { StubRunner } from './stub-runner.ts';

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
    resources: PRODUCT_RESOURCES,
    runner,
    ...options,
  });
  return { cluster, clock, runner, settle: () => clock.advance(0) };
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
