import { expect, test } from '@jest/globals';
import { podStatus, withConditions } from './pod-status.ts';
import { testPod } from './test-cluster.ts';

const NOW = '2026-01-01T00:00:10Z';

test('a condition keeps its time while its status stays', () => {
  const before = withConditions([], '2026-01-01T00:00:00Z', [
    { type: 'PodScheduled', status: 'True' },
    { type: 'Ready', status: 'False', reason: 'ContainersNotReady' },
    { type: 'Initialized', status: 'False' },
  ]);
  expect(
    withConditions(before, NOW, [
      { type: 'Ready', status: 'False', reason: 'PodFailed' },
      { type: 'Initialized', status: 'True' },
    ]),
  ).toEqual([
    { type: 'PodScheduled', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' },
    { type: 'Ready', status: 'False', reason: 'PodFailed', lastTransitionTime: '2026-01-01T00:00:00Z' },
    { type: 'Initialized', status: 'True', lastTransitionTime: NOW },
  ]);
});

test.each([
  ['exactly as long as it may be', 'x'.repeat(4096), 'x'.repeat(4096)],
  ['too long', 'x'.repeat(5000), 'x'.repeat(4096)],
  ['too long within a character', `${'x'.repeat(4095)}ü`, 'x'.repeat(4095)],
])('a termination message that is %s is cut to what a kubelet keeps', (_name, terminationMessage, want) => {
  const exit = { exitCode: 1, signal: undefined, terminationMessage };
  const status = podStatus(testPod('a'), '10.0.0.1', { type: 'Ended', exit }, 0, NOW);
  expect(status.containerStatuses?.[0]?.state?.terminated?.message).toBe(want);
});
