import { once } from 'node:events';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Holdings } from '../revision/holdings.ts';
import { HELD_BYTES, RequestBody, type BodyEvents } from './request-body.ts';

const BEGINNING = Buffer.alloc(HELD_BYTES + 1, 'a');
const PLENTY = { maxQueuedRequests: 10, maxHeldBytes: 100 * HELD_BYTES };
const IGNORE: BodyEvents = {
  collected: () => undefined,
  tooLarge: () => undefined,
  noRoom: () => undefined,
  progress: () => undefined,
  kept: () => false,
};

/** A body too large to be held, of which the beginning is here. */
async function begun(
  holdings = new Holdings(PLENTY),
): Promise<{ readonly request: IncomingMessage; readonly body: RequestBody }> {
  const request = new IncomingMessage(new Socket());
  const collected = Promise.withResolvers<undefined>();
  const body = new RequestBody(request, undefined, 2 * HELD_BYTES, holdings, {
    ...IGNORE,
    collected: () => collected.resolve(undefined),
  });
  body.collect();
  request.push(BEGINNING);
  await collected.promise;
  return { request, body };
}

/** Of a large body there is always a stream. */
function sent(body: RequestBody): Readable {
  return body.send() as Readable;
}

test('a body that was taken back goes to the next attempt in its order, whatever comes in between the two', async () => {
  const { request, body } = await begun();
  const refused = sent(body);
  refused.on('data', () => undefined);
  await new Promise((resolve) => setImmediate(resolve));
  expect(body.isWhole).toBe(true);
  body.takeBack();
  // The pod that has it now is still being connected to when the client goes on.
  const accepted = sent(body);
  body.goOn();
  request.push('b');
  request.push(null);
  await new Promise((resolve) => setImmediate(resolve));
  expect((await buffer(accepted)).equals(Buffer.concat([BEGINNING, Buffer.from('b')]))).toBe(true);
  expect(refused.destroyed).toBe(true);
});

test('what comes in while no attempt has the body waits for the next one', async () => {
  const { request, body } = await begun();
  sent(body).resume();
  await new Promise((resolve) => setImmediate(resolve));
  body.takeBack();
  request.push('b');
  request.push(null);
  await new Promise((resolve) => setImmediate(resolve));
  expect(body.isWhole).toBe(true);
  const next = sent(body);
  body.goOn();
  expect((await buffer(next)).length).toBe(BEGINNING.length + 1);
});

test('of a large body an attempt gets what is held, and no more before its pod admits it', async () => {
  const { request, body } = await begun();
  let got = 0;
  const stream = sent(body).on('data', (chunk: Buffer) => {
    got += chunk.length;
  });
  request.push('b');
  request.push(null);
  await new Promise((resolve) => setImmediate(resolve));
  expect({ got, isWhole: body.isWhole }).toEqual({ got: BEGINNING.length, isWhole: true });
  body.goOn();
  await once(stream, 'end');
  expect({ got, isWhole: body.isWhole }).toEqual({ got: BEGINNING.length + 1, isWhole: true });
});

test('a body that was taken back as its last piece went out ends where it ends, not before', async () => {
  const { request, body } = await begun();
  const died = sent(body);
  let next: unknown;
  died.on('data', (chunk: Buffer) => {
    if (chunk.toString() !== 'b') return;
    body.takeBack();
    // Of its end nobody has heard yet.
    next = body.send();
    body.goOn();
  });
  request.push('b');
  request.push(null);
  body.goOn();
  await once(died, 'close');
  expect(await buffer(next as Readable)).toHaveLength(BEGINNING.length + 1);
});

test('each attempt gets all of a body in its order, however it comes and whenever the attempts before it ended', async () => {
  const holdings = new Holdings(PLENTY);
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 120_000 }), { minLength: 1, maxLength: 8 }),
      fc.array(fc.record({ bytes: fc.nat(700_000), isAdmitted: fc.boolean() }), { maxLength: 4 }),
      fc.boolean(),
      async (sizes, deaths, isDeclared) => {
        const pieces = sizes.map((size, at) => Buffer.alloc(size, String(at)));
        const all = Buffer.concat(pieces);
        const request = new IncomingMessage(new Socket());
        const collected = Promise.withResolvers<undefined>();
        const events = { ...IGNORE, collected: () => collected.resolve(undefined), kept: () => true };
        const body = new RequestBody(request, isDeclared ? all.length : undefined, Infinity, holdings, events);
        expect(body.reserve()).toBe(true);
        body.collect();
        const coming = (async () => {
          for (const piece of pieces) {
            request.push(piece);
            await new Promise((resolve) => setImmediate(resolve));
          }
          request.push(null);
        })();
        await collected.promise;
        for (const { bytes, isAdmitted } of deaths) {
          const attempt = body.send();
          if (attempt === null || Buffer.isBuffer(attempt)) continue;
          if (isAdmitted) body.goOn();
          let got = 0;
          for await (const chunk of attempt) {
            got += (chunk as Buffer).length;
            if (got >= bytes || !isAdmitted) break;
          }
          body.takeBack();
          expect(body.isWhole).toBe(true);
          // It waits for another pod.
          body.readOn();
        }
        const last = body.send();
        body.goOn();
        expect((Buffer.isBuffer(last) ? last : await buffer(last!)).equals(all)).toBe(true);
        await coming;
        body.forget();
        expect({ isWhole: body.isWhole, bytes: holdings.bytes }).toEqual({ isWhole: false, bytes: 0 });
      },
    ),
    { numRuns: 40 },
  );
});
