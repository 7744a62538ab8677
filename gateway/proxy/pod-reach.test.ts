import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { expect, test } from '@jest/globals';
import { ManualClock } from '../../common/platform/manual-clock.ts';
import { PodReach } from './pod-reach.ts';

class Dialled extends EventEmitter {
  destroyed = false;
  destroy(): void {
    this.destroyed = true;
  }
}

function reach(): { clock: ManualClock; dialled: Dialled[]; subject: PodReach; lost: () => number } {
  const clock = new ManualClock();
  const dialled: Dialled[] = [];
  let lost = 0;
  const dial = (): Socket => {
    const socket = new Dialled();
    dialled.push(socket);
    return socket as unknown as Socket;
  };
  return { clock, dialled, lost: () => lost, subject: new PodReach(clock, dial, () => (lost += 1)) };
}

test('a pod is lost when two connections in a row came to nothing', async () => {
  const { clock, dialled, subject, lost } = reach();
  expect(subject.isLost()).toBe(false);
  dialled[0]?.emit('error', new Error('No connection'));
  await clock.advance(5_000);
  expect(subject.isLost()).toBe(false);
  dialled[1]?.emit('error', new Error('No connection'));
  expect(lost()).toBe(1);
  expect(subject.isLost()).toBe(true);
});

test('a connection that is made says that it is there, and is let go', async () => {
  const { clock, dialled, subject, lost } = reach();
  for (const event of ['error', 'connect', 'error', 'connect']) {
    expect(subject.isLost()).toBe(false);
    dialled.at(-1)?.emit(event, new Error('No connection'));
    await clock.advance(5_000);
  }
  expect(lost()).toBe(0);
  expect(dialled.map(({ destroyed }) => destroyed)).toEqual([false, true, false, true]);
});

test('however many requests ask, one connection is tried in four seconds', async () => {
  const { clock, dialled, subject } = reach();
  for (let at = 0; at < 100; at += 1) {
    subject.isLost();
    await clock.advance(80);
  }
  expect(dialled).toHaveLength(2);
});

test('what was seen long ago says nothing of now', async () => {
  const { clock, dialled, subject } = reach();
  for (let at = 0; at < 2; at += 1) {
    subject.isLost();
    dialled[at]?.emit('error', new Error('No connection'));
    await clock.advance(5_000);
  }
  await clock.advance(15_000);
  expect(subject.isLost()).toBe(false);
});
