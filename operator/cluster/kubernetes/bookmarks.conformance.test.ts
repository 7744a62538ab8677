/** What the bound of a watch's silence stands on: an API server that has nothing to tell says so, about once a minute. */
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { systemClock } from '../../../common/platform/clock.ts';
import { createLogger } from '../../../common/platform/logging.ts';
import { PODS, SECRETS } from '../resources.ts';
import { kubernetesCluster } from './kubernetes-cluster.ts';

/** Within the 150 s of silence after which a watch is given up and begun anew. */
const SECONDS = 145;

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
    const heardOfAll = (): boolean => contacts().every((contact, at) => contact > (before[at] ?? Infinity));
    for (let second = 0; second < SECONDS && !heardOfAll(); second += 1) await pause(1000);
    expect(heardOfAll()).toBe(true);
  } finally {
    await cluster.close();
  }
}, 180_000);
