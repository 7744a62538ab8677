/**
 * Holds the core against decisions that Knative's own code made (`fixtures/README.md`). `KPA_FIXTURES` names another folder of traces in the same
 * form.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { decideKpa, type KpaSettings, type KpaState } from './kpa/decide-kpa.ts';
import { BucketRing } from './windows/bucket-ring.ts';
import { linearAverage, weightedAverage } from './windows/window-average.ts';

interface Trace {
  readonly name: string;
  readonly config: {
    readonly Target: number;
    readonly PanicThreshold: number;
    readonly MaxScaleUpRate: number;
    readonly MaxScaleDownRate: number;
    readonly StableWindowSeconds: number;
    readonly PanicWindowSeconds: number;
    readonly ScaleDownDelaySeconds: number;
    readonly ActivationScale: number;
    readonly Aggregation: 'linear' | 'weighted-exponential';
    readonly StartSeconds: number;
  };
  readonly load: readonly (number | null)[];
  readonly decisions: readonly Tick[];
}

interface Tick {
  readonly t: number;
  readonly ready: number;
  readonly stable: number;
  readonly panic: number;
  readonly valid: boolean;
  readonly desired: number;
}

const FOLDER = process.env['KPA_FIXTURES'] ?? join(import.meta.dirname, 'fixtures');
const FILES = readdirSync(FOLDER).filter((file) => file.endsWith('.json'));

/** The cluster of the traces: a wanted pod is ready once `startSeconds` have passed, one that is no longer wanted is gone at once, the newest first. */
class Pods {
  readonly #startSeconds: number;
  readonly #createdAt: number[] = [];

  constructor(startSeconds: number) {
    this.#startSeconds = startSeconds;
  }

  ready(now: number): number {
    return this.#createdAt.filter((created) => now - created > this.#startSeconds).length;
  }

  scale(desired: number, now: number): void {
    while (this.#createdAt.length < desired) this.#createdAt.push(now);
    this.#createdAt.length = desired;
  }
}

function settingsOf({ config }: Trace): KpaSettings {
  return {
    target: config.Target,
    panicThreshold: config.PanicThreshold,
    maxScaleUpRate: config.MaxScaleUpRate,
    maxScaleDownRate: config.MaxScaleDownRate,
    stableWindowSeconds: config.StableWindowSeconds,
    scaleDownDelaySeconds: config.ScaleDownDelaySeconds,
    activationReplicas: Math.max(1, config.ActivationScale),
    reachable: true,
  };
}

function walk(trace: Trace): Tick[] {
  const { config, load } = trace;
  const average = config.Aggregation === 'linear' ? linearAverage : weightedAverage;
  const stableRing = new BucketRing(config.StableWindowSeconds);
  const panicRing = new BucketRing(config.PanicWindowSeconds);
  const pods = new Pods(config.StartSeconds);
  const settings = settingsOf(trace);
  let state: KpaState = { panicSince: undefined, panicPeak: 0, delay: [] };
  let last = 0;
  const ticks: Tick[] = [];
  const times = new Map(trace.decisions.map((decision) => [decision.t, decision]));
  for (const [t, value] of load.entries()) {
    if (value !== null) {
      stableRing.record(t, value);
      panicRing.record(t, value);
    }
    if (!times.has(t)) continue;
    const stable = average(stableRing, t);
    const panic = average(panicRing, t);
    const valid = !stableRing.isEmpty(t);
    const ready = pods.ready(t);
    const observation = { readyReplicas: ready, averages: valid ? { stable, panic } : undefined };
    const decision = decideKpa(settings, observation, state, t);
    state = decision.state;
    last = decision.desired ?? last;
    pods.scale(last, t);
    ticks.push({ t, ready, stable, panic, valid, desired: decision.desired ?? 0 });
  }
  return ticks;
}

test('there are traces to compare with', () => {
  expect(FILES.length).toBeGreaterThan(0);
});

test.each(FILES)("decides as Knative's own code did on every tick of %s", (file) => {
  const trace = JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as Trace;
  const ticks = walk(trace);
  const decisionsOf = (list: readonly Tick[]): unknown[] =>
    list.map(({ t, ready, valid, desired }) => ({ t, ready, valid, desired: valid ? desired : undefined }));
  expect(decisionsOf(ticks)).toEqual(decisionsOf(trace.decisions));
  const farthest = trace.decisions.reduce((most, want, index) => {
    const got = ticks[index];
    if (got === undefined || !want.valid) return most;
    return Math.max(most, Math.abs(got.stable - want.stable), Math.abs(got.panic - want.panic));
  }, 0);
  expect(farthest).toBeLessThan(1e-9);
});
