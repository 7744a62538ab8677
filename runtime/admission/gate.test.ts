import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ManualClock } from '../../common/platform/manual-clock.ts';
import type { Phase } from './decide-admission.ts';
import { DRAIN_LAPSE, Gate } from './gate.ts';

function setup(): { gate: Gate; clock: ManualClock; phases: Phase[] } {
  const clock = new ManualClock();
  const phases: Phase[] = [];
  const gate = new Gate({ clock, uid: 'uid-1', maxBodyBytes: 100, onPhase: (phase) => phases.push(phase) });
  return { gate, clock, phases };
}

test('admits once the model is warm', () => {
  const { gate } = setup();
  expect(gate.enter({})).toBe('NotReady');
  gate.open();
  expect(gate.enter({})).toBeUndefined();
  expect(gate.inFlight).toBe(1);
});

test('a drain if idle says busy and changes nothing while a request is in the pod', () => {
  const { gate, clock, phases } = setup();
  gate.open();
  gate.enter({});
  expect(gate.drain({ ifIdle: true })).toBe(false);
  expect(gate.phase).toBe('Ready');
  expect(clock.pending).toBe(0);
  gate.leave({});
  expect(gate.drain({ ifIdle: true })).toBe(true);
  expect(gate.enter({})).toBe('Draining');
  expect(phases).toEqual(['Ready', 'Draining']);
});

test('a drain lapses 10 s after it was last asked for', async () => {
  const { gate, clock, phases } = setup();
  gate.open();
  gate.drain({ ifIdle: false });
  await clock.advance(DRAIN_LAPSE - 1);
  gate.drain({ ifIdle: false });
  await clock.advance(DRAIN_LAPSE - 1);
  expect(gate.phase).toBe('Draining');
  await clock.advance(1);
  expect(gate.enter({})).toBeUndefined();
  expect(phases).toEqual(['Ready', 'Draining', 'Ready']);
});

test('a pod that is still starting can be drained, and its model may become warm meanwhile', async () => {
  const { gate, clock } = setup();
  gate.drain({ ifIdle: true });
  gate.open();
  expect(gate.phase).toBe('Draining');
  await clock.advance(DRAIN_LAPSE);
  expect(gate.phase).toBe('Ready');
});

test('a termination never lapses', async () => {
  const { gate, clock, phases } = setup();
  gate.open();
  gate.drain({ ifIdle: false });
  gate.terminate();
  expect(clock.pending).toBe(0);
  await clock.advance(10 * DRAIN_LAPSE);
  expect(gate.phase).toBe('Draining');
  expect(phases).toEqual(['Ready', 'Draining']);
});

test('is idle when the last request has left', async () => {
  const { gate } = setup();
  gate.open();
  await gate.idle();
  gate.enter({});
  gate.enter({});
  let idle = false;
  const waiting = gate.idle().then(() => (idle = true));
  gate.leave({});
  await Promise.resolve();
  expect(idle).toBe(false);
  gate.leave({});
  await waiting;
  expect(idle).toBe(true);
});

test('never has more in flight than the limit, whatever comes and goes', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), fc.array(fc.boolean(), { maxLength: 50 }), (limit, steps) => {
      const { gate } = setup();
      gate.open();
      const headers = { 'pilotlight-pod-uid': 'uid-1', 'pilotlight-concurrency-limit': String(limit) };
      let inside = 0;
      for (const comes of steps) {
        if (comes) {
          const refusal = gate.enter(headers);
          expect(refusal).toBe(inside < limit ? undefined : 'LimitReached');
          if (refusal === undefined) inside++;
        } else if (inside > 0) {
          gate.leave(headers);
          inside--;
        }
        expect(gate.inFlight).toBe(inside);
      }
    }),
  );
});

test('has room for four of the largest bodies at once, and again when one has left', () => {
  const { gate } = setup();
  gate.open();
  const headers = { 'content-length': '100' };
  for (let body = 0; body < 4; body++) expect(gate.enter(headers)).toBeUndefined();
  expect(gate.enter(headers)).toBe('LimitReached');
  gate.leave(headers);
  expect(gate.enter(headers)).toBeUndefined();
  expect(gate.bytes).toBe(400);
});

test.each([{ 'transfer-encoding': 'chunked' }, { 'content-length': '100', 'content-encoding': 'gzip' }])(
  'a body with %j takes its room as it comes, to the last byte there is',
  (headers) => {
    const { gate } = setup();
    gate.open();
    for (let body = 0; body < 20; body++) expect(gate.enter(headers)).toBeUndefined();
    expect(gate.bytes).toBe(0);
    expect(gate.enter({ 'content-length': '100' })).toBeUndefined();
    expect(gate.take(200)).toBe(true);
    expect(gate.take(101)).toBe(false);
    expect(gate.take(100)).toBe(true);
    expect(gate.enter({ 'content-length': '1' })).toBe('LimitReached');
    gate.leave(headers, 250);
    gate.give(50);
    expect(gate.bytes).toBe(100);
  },
);

test('bodies and what else takes memory stay within it together', () => {
  const { gate } = setup();
  gate.open(600);
  expect(gate.maxBodyBytes).toBe(100);
  expect(gate.enter({ 'content-length': '100' })).toBeUndefined();
  expect(gate.takeMemory(301)).toBe(false);
  expect(gate.takeMemory(200)).toBe(true);
  expect(gate.memory).toBe(500);
  expect(gate.enter({ 'content-length': '34' })).toBe('LimitReached');
  expect(gate.take(33)).toBe(true);
  gate.giveMemory(200);
  expect(gate.take(67)).toBe(true);
  expect(gate.take(1)).toBe(false);
});

test('takes no body that would not fit into memory alone', () => {
  const { gate } = setup();
  gate.open(240);
  expect(gate.maxBodyBytes).toBe(80);
});
