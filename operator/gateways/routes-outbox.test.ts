import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { FunctionRoute } from '../../common/wire/routes.ts';
import { functionKey, RoutesOutbox } from './routes-outbox.ts';

const routeOf = (name: string, timeoutSeconds: number): FunctionRoute => ({
  namespace: 'models',
  name,
  visibility: 'Cluster',
  timeoutSeconds,
  concurrencyLimit: 0,
  queue: { maxRequests: 1, maxBytes: 1, timeoutSeconds: 1 },
  traffic: [],
  revisions: [],
});

const GATEWAYS = { self: 'a', all: [] };

const step = fc.record({
  name: fc.constantFrom('a', 'b', 'c'),
  what: fc.constantFrom('publish', 'publish', 'remove', 'take', 'begin', 'end'),
});

test('leaves the reader with what is published, however changes and reads interleave', () => {
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const outbox = new RoutesOutbox(() => GATEWAYS);
      const published = new Map<string, FunctionRoute>();
      const reader = new Map<string, FunctionRoute>();
      const sequences: number[] = [];
      const read = (): void => {
        const update = outbox.take();
        if (update === undefined) return;
        sequences.push(update.sequence);
        if (update.full) reader.clear();
        for (const route of update.functions) reader.set(functionKey(route), route);
        for (const name of update.removed) reader.delete(functionKey(name));
      };
      for (const [version, { name, what }] of steps.entries()) {
        const route = routeOf(name, version);
        if (what === 'publish') {
          published.set(functionKey(route), route);
          outbox.publish(route);
        } else if (what === 'remove') {
          published.delete(functionKey(route));
          outbox.remove(route);
        } else if (what === 'take') read();
        else if (what === 'begin') outbox.begin(version, published.values());
        else outbox.end();
      }
      outbox.begin(1000, published.values());
      read();
      expect(reader).toEqual(published);
      outbox.publish(routeOf('a', 1000));
      outbox.remove(routeOf('b', 0));
      read();
      published.set('models/a', routeOf('a', 1000));
      published.delete('models/b');
      expect(reader).toEqual(published);
      expect(outbox.take()).toBeUndefined();
      expect(sequences).toEqual(sequences.map((_, index) => index + 1));
    }),
  );
});

test('says nothing before it begins and after it ended', () => {
  const outbox = new RoutesOutbox(() => GATEWAYS);
  outbox.publish(routeOf('a', 1));
  expect(outbox.take()).toBeUndefined();
  outbox.begin(1, [routeOf('a', 1)]);
  outbox.end();
  expect(outbox.take()).toBeUndefined();
});

test('names the gateways in each full update, and in one more when they change', () => {
  const outbox = new RoutesOutbox(() => GATEWAYS);
  outbox.gatewaysChanged();
  expect(outbox.take()).toBeUndefined();
  outbox.begin(1, []);
  expect(outbox.take()).toMatchObject({ full: true, gateways: GATEWAYS });
  outbox.publish(routeOf('a', 1));
  expect(outbox.take()).not.toHaveProperty('gateways');
  outbox.gatewaysChanged();
  expect(outbox.take()).toMatchObject({ full: false, functions: [], removed: [], gateways: GATEWAYS });
  expect(outbox.take()).toBeUndefined();
});
