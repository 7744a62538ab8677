/** A cache of an API server that misbehaves, as a jest suite for any API server: it comes to say what is there, without a storm and without lies. */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { systemClock } from '../../../../common/platform/clock.ts';
import { createLogger } from '../../../../common/platform/logging.ts';
import { watchCache, type WatchCache } from '../../cache.ts';
import { secret } from '../../conformance/subject.ts';
import type { Cluster } from '../../port.ts';
import { SECRETS, type Secret } from '../../resources.ts';
import { kubernetesCluster, type KubernetesCluster } from '../kubernetes-cluster.ts';
import { API_SERVER_FAULTS } from './api-server-faults.ts';
import type { FaultingRelay } from './faulting-relay.ts';

export interface CacheFaultsSubject {
  /** Past the relay. */
  readonly direct: Cluster;
  readonly relay: FaultingRelay;
  readonly namespace: string;
  readonly stop: () => Promise<void>;
}

/** Requests of one watch within the fault's time. */
const MOST_REQUESTS = 20;
/** Of the system's clock: long enough for back-off to show. */
const FAULT_MILLISECONDS = 2000;
const LABELS = { 'pilotlight.dev/faults': 'true' };

export function describeCacheFaults(name: string, start: () => Promise<CacheFaultsSubject>): void {
  jest.setTimeout(60_000);
  describe(`A cache of ${name}`, () => {
    const stop = new AbortController();
    const deleted: string[] = [];
    let subject: CacheFaultsSubject;
    let cluster: KubernetesCluster;
    let cache: WatchCache<Secret>;
    let wake: () => void = () => undefined;

    beforeAll(async () => {
      subject = await start();
      const logger = createLogger('test', 'silent');
      const { kubeconfigPath } = subject.relay;
      cluster = kubernetesCluster({ kubeconfigPath, clock: systemClock, logger, random: () => 0 });
      const { namespace } = subject;
      const scope = { namespace, labels: LABELS };
      cache = watchCache({ cluster, resource: SECRETS, scope, clock: systemClock, logger, signal: stop.signal });
      cache.subscribe(({ type, object }) => {
        if (type === 'Deleted') deleted.push(object.metadata.name);
        wake();
      });
      await cache.synced;
    });

    afterAll(async () => {
      stop.abort();
      await cluster.close();
      await subject.stop();
    });

    const versions = (secrets: readonly Secret[]): string[] =>
      secrets.map(({ metadata }) => `${metadata.name}@${metadata.resourceVersion ?? ''}`).sort();

    /** Of two that exist one is changed, one is deleted, and a third comes. */
    async function change(round: string): Promise<void> {
      const { direct, namespace } = subject;
      const make = (own: string): Promise<Secret> =>
        direct.create(SECRETS, secret({ namespace, name: `${own}-${round}`, labels: LABELS }));
      const [changed, gone] = [await make('changed'), await make('gone')];
      await untilSame();
      // A connection that held for a second is a good one, and the failures of the round before are forgotten.
      await new Promise((resolve) => setTimeout(resolve, 1100));
      deleted.length = 0;
      subject.relay.forget();
      await begin();
      await direct.update(SECRETS, { ...changed, data: { key: 'bmV3' } });
      await direct.delete(SECRETS, gone.metadata);
      await make('new');
    }
    let begin: () => void | Promise<void> = () => undefined;

    async function untilSame(): Promise<void> {
      const want = versions(await subject.direct.list(SECRETS, { namespace: subject.namespace, labels: LABELS }));
      while (versions(cache.list()).join() !== want.join()) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }

    const rounds = [...Object.keys(API_SERVER_FAULTS), 'refuses connections'].map((fault, at) => [fault, at] as const);
    test.each(rounds)('after an API server that %s is right again, and was not wrong in between', async (fault, at) => {
      const { relay } = subject;
      begin = async () => {
        const set = API_SERVER_FAULTS[fault];
        if (set === undefined) return relay.shut();
        relay.fault = set;
        relay.cut();
      };
      await change(String(at));
      await new Promise((resolve) => setTimeout(resolve, FAULT_MILLISECONDS));
      expect(relay.requests.length).toBeLessThan(MOST_REQUESTS);
      relay.fault = () => undefined;
      if (!relay.isOpen) await relay.open();
      relay.cut();
      await untilSame();
      expect(deleted).toEqual([`gone-${at}`]);
    });
  });
}
