import { expect, test } from '@jest/globals';
import { staleWatches } from './stale-watches.ts';

test.each<[string, Record<string, number>, string | undefined]>([
  ['are fresh', { pods: 299_000, secrets: 0 }, undefined],
  ['are none', {}, undefined],
  ['are stale', { pods: 301_500, secrets: 100 }, 'The API server has sent nothing on the watch of pods for 301 s.'],
  [
    'are all stale',
    { pods: 400_000, leases: 500_000 },
    'The API server has sent nothing on the watch of pods for 400 s, of leases for 500 s.',
  ],
])('watches that %s', (_name, silences, want) => {
  const now = 1_000_000;
  const watches = Object.entries(silences).map(([name, silence]) => ({
    name,
    synced: true,
    lastContact: now - silence,
  }));
  expect(staleWatches(watches, now)).toBe(want);
});
