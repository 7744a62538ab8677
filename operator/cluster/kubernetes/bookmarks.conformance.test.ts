/** What the bound of a watch's silence stands on: an API server that has nothing to tell says so, about once a minute. */
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { systemClock } from '../../../common/platform/clock.ts';
import { createLogger } from '../../../common/platform/logging.ts';
import { PODS, SECRETS } from '../resources.ts';
import { kubernetesCluster } from './kubernetes-cluster.ts';

/** Two of them fit into the 150 s after which a watch is given up. */
const SECONDS = 75;

test(`a watch without changes hears of the API server within ${SECONDS} s`, async () => {
  const cluster = kubernetesCluster({
    kubeconfigPath: process.env['KUBECONFIG'] ?? '',
    clock: systemClock,
    logger: createLogger('conformance', 'silent'),
    random: Math.random,
  });
  try {
    const scope = { labels: { 'pilotlight.dev/conformance': 'nobody-has-this' } };
    const never = new AbortController().signal;
    cluster.watch(PODS, scope, () => undefined, never);
    cluster.watch(SECRETS, scope, () => undefined, never);
    const contacts = (): readonly number[] => cluster.watches().map(({ lastContact }) => lastContact);
    while (!cluster.watches().every(({ synced }) => synced)) await pause(100);
    // The answer to the request for the watch itself.
    await pause(1000);
    const before = contacts();
    await pause(SECONDS * 1000);
    for (const [at, contact] of contacts().entries()) expect(contact).toBeGreaterThan(before[at] ?? 0);
  } finally {
    await cluster.close();
  }
}, 120_000);
