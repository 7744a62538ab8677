/** The behaviour that the operator relies on, as a jest suite for any adapter of the port. */
import { afterAll, beforeAll, describe, jest } from '@jest/globals';
import { describeAdmission } from './admission.ts';
import type { ConformanceSubject } from './subject.ts';
import { describeCustomResources } from './custom-resources.ts';
import { describeDeletion } from './deletion.ts';
import { describeLeases } from './leases.ts';
import { describeNetwork } from './network.ts';
import { describeObjects } from './objects.ts';
import { describePods } from './pods.ts';
import { describeWatches } from './watches.ts';

/** Longer than any wait inside, so that a failing wait says itself what it waited for. */
const TEST_TIMEOUT_MILLISECONDS = 90_000;

/** `start` runs once, before the tests; its subject is stopped after them. */
export function describeClusterConformance(name: string, start: () => Promise<ConformanceSubject>): void {
  jest.setTimeout(TEST_TIMEOUT_MILLISECONDS);
  describe(`${name} conforms:`, () => {
    let subject: ConformanceSubject | undefined;
    beforeAll(async () => {
      subject = await start();
    });
    afterAll(async () => {
      await subject?.stop();
    });
    const current = (): ConformanceSubject => {
      if (subject === undefined) throw new Error('The cluster under test did not start.');
      return subject;
    };
    describeObjects(current);
    describeDeletion(current);
    describeWatches(current);
    describePods(current);
    describeNetwork(current);
    describeLeases(current);
    describeCustomResources(current);
    describeAdmission(current);
  });
}
