import fc from 'fast-check';
import { describe, expect, test } from '@jest/globals';
import { DemandLedger } from './demand-ledger.ts';

function ledger(awakenings: number[] = []): DemandLedger {
  return new DemandLedger('boot', 0, () => awakenings.push(awakenings.length));
}

describe('a meter', () => {
  test('adds up each request from its arrival to its end, whatever their order and whenever it is read', () => {
    const request = fc.record({ arrives: fc.nat(10_000), stays: fc.nat(10_000) });
    fc.assert(
      fc.property(
        fc.array(request, { maxLength: 50 }),
        fc.array(fc.nat(20_000), { maxLength: 10 }),
        (requests, reads) => {
          const meter = ledger().meter('n', 'r');
          const events = [
            ...requests.map(({ arrives }) => ({ at: arrives, order: 0, happen: () => meter.arrive(arrives) })),
            ...requests.map(({ arrives, stays }) => ({
              at: arrives + stays,
              order: 1,
              happen: () => meter.leave(arrives + stays),
            })),
            ...reads.map((at) => ({ at, order: 2, happen: () => void meter.read(at) })),
          ];
          for (const { happen } of events.sort((a, b) => a.at - b.at || a.order - b.order)) happen();
          const want = requests.reduce((sum, { stays }) => sum + stays, 0) / 1_000;
          expect(meter.read(20_000)).toMatchObject({
            requestSeconds: want,
            requests: requests.length,
            inFlight: 0,
            queued: 0,
          });
        },
      ),
    );
  });

  test('tells those that pods have from those that are held', () => {
    const meter = ledger().meter('n', 'r');
    meter.arrive(0);
    meter.arrive(0);
    meter.sent();
    expect(meter.read(0)).toMatchObject({ inFlight: 1, queued: 1 });
    meter.returned();
    expect(meter.read(0)).toMatchObject({ inFlight: 0, queued: 2 });
  });
});

describe('records', () => {
  test('are numbered, and hold changes once, but those with requests present each time', () => {
    const demand = ledger();
    const [busy, brief] = [demand.meter('n', 'busy'), demand.meter('n', 'brief')];
    demand.meter('n', 'idle');
    busy.arrive(0);
    brief.arrive(0);
    brief.leave(500);
    const first = demand.changes(1_000, []);
    expect(first).toMatchObject({ bootId: 'boot', sequence: 1, uptimeSeconds: 1, full: false });
    expect(first.revisions.map(({ revision, requestSeconds }) => [revision, requestSeconds])).toEqual([
      ['busy', 1],
      ['brief', 0.5],
    ]);
    expect(demand.changes(2_000, []).revisions).toMatchObject([{ revision: 'busy', requestSeconds: 2 }]);
    busy.leave(2_000);
    expect(demand.changes(3_000, []).revisions).toMatchObject([{ revision: 'busy', requestSeconds: 2, requests: 1 }]);
    expect(demand.changes(4_000, [])).toMatchObject({ sequence: 4, revisions: [] });
  });

  test('that are full hold all totals and take nothing from the next changes', () => {
    const demand = ledger();
    const meter = demand.meter('n', 'r');
    meter.arrive(0);
    meter.leave(1_000);
    expect(demand.full(1_000, []).revisions).toHaveLength(1);
    expect(demand.changes(1_000, []).revisions).toHaveLength(1);
    expect(demand.changes(2_000, []).revisions).toHaveLength(0);
    expect(demand.full(2_000, []).revisions).toMatchObject([{ requestSeconds: 1, requests: 1 }]);
  });

  test('are due at once when nobody serves a revision, but not for each of a quick row', () => {
    const awakenings: number[] = [];
    const meter = ledger(awakenings).meter('n', 'r');
    for (const at of [0, 10, 20, 99]) meter.wake(at);
    expect(awakenings).toHaveLength(1);
    meter.wake(100);
    expect(awakenings).toHaveLength(2);
  });
});
