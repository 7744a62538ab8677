import { Readable } from 'node:stream';
import { expect, test } from '@jest/globals';
import type { Dispatcher } from 'undici';
import { ManualClock } from '../../common/platform/manual-clock.ts';
import type { PodChannel } from '../revision/pod-connection.ts';
import { Pod } from '../revision/pod.ts';
import { Attempt, type AttemptEvents } from './attempt.ts';

const CONTROLLER: Dispatcher.DispatchController = {
  aborted: false,
  paused: false,
  reason: null,
  abort: () => undefined,
  pause: () => undefined,
  resume: () => undefined,
};

test('a pod has its second to refuse a large body from when the request is sent, not while its connection is made', async () => {
  const clock = new ManualClock();
  let admitted = 0;
  const events: AttemptEvents = {
    admitted: () => (admitted += 1),
    failed: () => undefined,
    answered: () => undefined,
    data: () => true,
    finished: () => undefined,
    broke: () => undefined,
  };
  const dispatched: Dispatcher.DispatchHandler[] = [];
  const channel: PodChannel = {
    dispatch: (_options, handler) => void dispatched.push(handler),
    isLost: () => false,
  };
  const pod = new Pod('uid', 'pod', { host: '10.0.0.1', ports: { http: 8080, control: 9091 } }, () => ({
    http: channel,
    grpc: undefined,
    close: () => undefined,
  }));
  const attempt = new Attempt(pod, clock, 60_000, events);
  attempt.start({
    channel,
    method: 'POST',
    target: '/',
    fields: [],
    body: Readable.from(['x']),
    streamedLength: undefined,
    concurrencyLimit: 0,
    timeoutMilliseconds: 60_000,
  });
  await clock.advance(1_500);
  expect(admitted).toBe(0);
  dispatched[0]?.onRequestStart?.(CONTROLLER, {});
  await clock.advance(999);
  expect(admitted).toBe(0);
  await clock.advance(1);
  expect(admitted).toBe(1);
  attempt.abort('The test is over.');
  expect(clock.pending).toBe(0);
});
