/**
 * Traffic that a fault must not disturb, every request of which is counted: many short requests on connections of their own and on kept ones, some
 * with large bodies, some that take long, and a function that sleeps and is called in the middle of it.
 */
import { expect } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { DIGITS } from '../../local/examples.ts';
import type { Load } from './client.ts';
import type { LoadFailure, LoadReport } from './client/protocol.ts';
import { modelFunction } from './manifests.ts';
import type { Killed } from './process-killer.ts';
import type { Suite } from './suite.ts';

/** How long a request to `held` waits in its pod. */
const HELD_MILLISECONDS = 600;

/** More than a gateway holds to send it a second time. */
const LARGE_BYTES = 1536 * 1024;
const LARGE_BODIES = 'short, large bodies';

/**
 * Long for an answer on a busy machine, and shorter than what the kernel tries to connect for: a connection that was begun before the nodes knew the
 * address of a new Service is lost for as long.
 */
const TIMEOUT_MILLISECONDS = 45_000;

const NAME_SECONDS = 90;

export interface Traffic {
  /** The function at zero is called, once, after so many milliseconds. */
  wake(afterMilliseconds?: number): Promise<void>;
  /** So many more short requests on kept connections have ended. */
  pass(requests: number): Promise<void>;
  /** Ends it when every request has ended, and prints what became of them under this title; again it does nothing. */
  stop(title: string): Promise<TrafficReport>;
}

export interface TrafficReport {
  readonly loads: Readonly<Record<string, LoadReport>>;
  readonly sent: number;
  readonly failures: readonly LoadFailure[];
}

/** Applies the functions: `short` has one pod, `held` has two for as long as there is traffic, `asleep` has none. */
export async function prepareFunctions(suite: Suite): Promise<void> {
  await suite.apply(
    modelFunction('short', { scaling: { minReplicas: 1, maxReplicas: 1 } }),
    modelFunction('held', {
      scaling: { target: 1, maxReplicas: 2 },
      batching: { maxBatchSize: 32, maxDelayMilliseconds: HELD_MILLISECONDS },
    }),
    // Nobody can be woken while the API server is away, and the kubelet looks for new pods up to a minute after.
    modelFunction('asleep', { queue: { timeoutSeconds: 180 } }),
  );
  for (const name of ['short', 'held', 'asleep']) {
    await suite.untilReady(name);
    await untilAnswered(suite, name);
  }
}

/** The cluster's DNS may learn of a new name a minute late, when the API server was away shortly before. */
async function untilAnswered(suite: Suite, name: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const { status, error = `status ${status}` } = await suite.infer(name, DIGITS.request);
    if (status === 200) return;
    if (attempt === NAME_SECONDS) throw new Error(`Nobody answers at ${suite.url(name)}: ${error}`);
    await delay(1_000);
  }
}

/** Resolves when it flows, and nobody needs more pods for it nor has too many. */
export async function startTraffic(suite: Suite): Promise<Traffic> {
  const load = async (name: string, perSecond: number, keepAlive: boolean, body = DIGITS.request): Promise<Load> =>
    suite.client.load({
      request: { ...suite.inference(name, body), timeoutMilliseconds: TIMEOUT_MILLISECONDS },
      includes: `"model_name":"${name}"`,
      perSecond,
      keepAlive,
    });
  const loads: Record<string, Load> = {
    'short, new connections': await load('short', 25, false),
    'short, kept connections': await load('short', 25, true),
    [LARGE_BODIES]: await load('short', 3, false, DIGITS.request + ' '.repeat(LARGE_BYTES)),
    'held, new connections': await load('held', 8, false),
  };
  const [, kept, , held] = Object.values(loads);
  await held?.until({ outcome: { name: '200', inARow: 10 } });
  await suite.untilReplicas('held', 2);
  await suite.untilNoPods('asleep');
  const end = async (title: string): Promise<TrafficReport> => {
    const reports: Record<string, LoadReport> = {};
    for (const [name, each] of Object.entries(loads)) reports[name] = await each.stop();
    const all = Object.values(reports);
    const report = {
      loads: reports,
      sent: all.reduce((sum, { sent }) => sum + sent, 0),
      failures: all.flatMap(({ failures }) => failures),
    };
    process.stdout.write(`${describeTraffic(title, report)}\n`);
    for (const { sent, outcomes } of all) expect(Object.values(outcomes).reduce((a, b) => a + b, 0)).toBe(sent);
    return report;
  };
  let ended: Promise<TrafficReport> | undefined;
  let calls = 0;
  return {
    wake: async (afterMilliseconds = 0) => {
      calls += 1;
      loads[calls === 1 ? 'asleep, one' : `asleep, one, call ${calls}`] = await suite.client.load({
        request: suite.inference('asleep', DIGITS.request),
        includes: '"model_name":"asleep"',
        requests: 1,
        afterMilliseconds,
      });
    },
    pass: async (requests) => {
      await kept?.until({ ended: requests });
    },
    stop: (title) => (ended ??= end(title)),
  };
}

export function expectNothingLost({ loads, failures, sent }: TrafficReport): void {
  expect(failures).toEqual([]);
  const answered = Object.values(loads).reduce((sum, { outcomes }) => sum + (outcomes['200'] ?? 0), 0);
  expect(answered).toBe(sent);
}

/** A large body that a killed pod had begun to read cannot be sent to another one. That is all that may be lost with it. */
export function expectNothingLostBut({ loads, failures }: TrafficReport, { to }: Killed): void {
  const large = loads[LARGE_BODIES]?.failures ?? [];
  const unavoidable = large.filter(({ outcome, sentAt }) => outcome === '502 pod-failed' && sentAt <= to);
  expect(failures.filter((failure) => !unavoidable.includes(failure))).toEqual([]);
}

/** Of failures that may be: so many of each kind. */
export function countByOutcome(failures: readonly LoadFailure[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { outcome } of failures) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts;
}

function describeTraffic(title: string, { loads, sent, failures }: TrafficReport): string {
  const lines = Object.entries(loads).map(([name, { outcomes, latency, sent: ofLoad }]) => {
    const ends = Object.entries(outcomes).map(([outcome, count]) => `${count} × ${outcome}`);
    const { p50, p99, max } = latency;
    return `  ${name}: ${ofLoad} sent, ${ends.join(', ')}; ms p50 ${Math.round(p50)}, p99 ${Math.round(p99)}, most ${Math.round(max)}`;
  });
  return [`${title}: ${sent} requests, ${failures.length} failed`, ...lines].join('\n');
}
