import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createLogger } from '../../../common/platform/logging.ts';
import { wait } from '../../../common/platform/clock.ts';
import { ManualClock } from '../../../common/platform/manual-clock.ts';
import { ClusterError, type KubernetesObject, type WatchEvent } from '../port.ts';
import { WatchLoop, type WatchSource } from './watch-loop.ts';

/** Stays open and says nothing. */
const SILENCE = Symbol('silence');
/** What a stream does; a number is how many milliseconds it says nothing for. Its end is the server's clean close. */
type Step = string | number | Error | typeof SILENCE;

interface Answer {
  readonly list?: Error | { readonly objects: readonly KubernetesObject[]; readonly resourceVersion: string };
  readonly stream?: ClusterError | readonly Step[];
}

const refused = (status: number, retryAfterSeconds?: number): ClusterError =>
  new ClusterError('Unavailable', `HTTP ${status}`, {
    status,
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  });

function object(name: string, resourceVersion: number, uid = `uid-${name}`): KubernetesObject {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name, uid, resourceVersion: String(resourceVersion) } };
}

function line(type: string, value: object): string {
  return `${JSON.stringify({ type, object: value })}\n`;
}

const bookmark = (resourceVersion: number): string =>
  line('BOOKMARK', { metadata: { resourceVersion: String(resourceVersion) } });
const expired = line('ERROR', { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' });
const empty = { objects: [], resourceVersion: '1' };

let clock: ManualClock;
let stop: AbortController;

beforeEach(() => {
  clock = new ManualClock();
  stop = new AbortController();
});

afterEach(async () => {
  stop.abort();
  await clock.advance(0);
  expect(clock.pending).toBe(0);
});

/** Plays the answers in turn, and after the last one keeps a silent stream open. */
async function play(
  answers: readonly Answer[],
  onEvent: (event: WatchEvent<KubernetesObject>) => void = () => undefined,
) {
  const requests: { readonly at: number; readonly what: string }[] = [];
  const events: string[] = [];
  const lists = answers.flatMap(({ list }) => (list === undefined ? [] : [list]));
  const streams = answers.flatMap(({ stream }) => (stream === undefined ? [] : [stream]));
  const source: WatchSource<KubernetesObject> = {
    list: () => {
      requests.push({ at: clock.monotonic(), what: 'list' });
      const answer = lists.shift() ?? empty;
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    },
    stream: (resourceVersion, timeoutSeconds, signal) => {
      requests.push({ at: clock.monotonic(), what: `watch ${resourceVersion}` });
      expect(timeoutSeconds).toBe(300);
      const answer = streams.shift() ?? [SILENCE];
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(bytes(answer, signal));
    },
  };
  const loop = new WatchLoop({
    name: 'secrets',
    source,
    onEvent: (event) => {
      events.push(
        event.type === 'Synced'
          ? event.type
          : `${event.type} ${event.object.metadata.name}@${event.object.metadata.resourceVersion}`,
      );
      onEvent(event);
    },
    signal: stop.signal,
    clock,
    random: () => 0,
    logger: createLogger('test', 'silent'),
  });
  const ended = loop.run();
  await clock.advance(0);
  return {
    events,
    loop,
    ended,
    requests,
    what: () => requests.map(({ what }) => what),
    at: () => requests.map(({ at }) => at),
  };
}

async function* bytes(steps: readonly Step[], signal: AbortSignal): AsyncGenerator<Uint8Array> {
  for (const step of steps) {
    if (step instanceof Error) throw step;
    if (typeof step === 'number') await wait(clock, step, signal);
    else if (step === SILENCE) {
      await new Promise((_resolve, reject) => {
        signal.throwIfAborted();
        signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      });
    } else yield Buffer.from(step);
  }
}

describe('a watch', () => {
  test('reports what is listed, Synced, and then what changes', async () => {
    const { events, what } = await play([
      {
        list: { objects: [object('a', 1)], resourceVersion: '5' },
        stream: [
          line('ADDED', object('b', 6)) + line('MODIFIED', object('a', 7)),
          line('DELETED', object('b', 8)),
          SILENCE,
        ],
      },
    ]);
    expect(events).toEqual(['Applied a@1', 'Synced', 'Applied b@6', 'Applied a@7', 'Deleted b@8']);
    expect(what()).toEqual(['list', 'watch 5']);
  });

  test('goes on from the last version it saw when the server closes, a bookmark’s included', async () => {
    const { what } = await play([
      { list: empty, stream: [line('ADDED', object('a', 6))] },
      { stream: [bookmark(20)] },
      { stream: [] },
      { stream: [SILENCE] },
    ]);
    await clock.advance(2000);
    expect(what()).toEqual(['list', 'watch 1', 'watch 6', 'watch 20', 'watch 20']);
  });

  test('cut off amid an event goes on from the last whole one', async () => {
    const half = line('MODIFIED', object('a', 7)).slice(0, 40);
    const { events, what } = await play([
      { list: empty, stream: [line('ADDED', object('a', 6)), half, new Error('terminated')] },
      { stream: [line('MODIFIED', object('a', 7)), SILENCE] },
    ]);
    await clock.advance(1000);
    expect(what()).toEqual(['list', 'watch 1', 'watch 6']);
    expect(events).toEqual(['Synced', 'Applied a@6', 'Applied a@7']);
  });

  test.each<[string, Answer]>([
    ['a 410 answer', { stream: refused(410) }],
    ['a 410 event', { stream: [expired] }],
    ['any other ERROR event', { stream: [line('ERROR', { code: 500, message: 'unable to decode' })] }],
    ['a version from the future', { stream: refused(504) }],
    ['a resource that was gone', { stream: refused(404) }],
    ['a line that is not JSON', { stream: ['{"type":"ADD\u0000\n'] }],
    ['a line that is no event', { stream: ['null\n'] }],
    ['an event of an unknown type', { stream: [line('SURPRISE', object('a', 9))] }],
    ['an event without a version', { stream: [line('ADDED', { metadata: { name: 'x' } })] }],
  ])('lists again after %s, and reports the differences alone', async (_name, broken) => {
    const { events, what } = await play([
      {
        list: { objects: [object('same', 1), object('changed', 2), object('gone', 3)], resourceVersion: '5' },
        ...broken,
      },
      { list: { objects: [object('same', 1), object('changed', 7), object('new', 8)], resourceVersion: '9' } },
    ]);
    await clock.advance(1000);
    expect(what()).toEqual(['list', 'watch 5', 'list', 'watch 9']);
    expect(events.slice(4)).toEqual(['Deleted gone@3', 'Applied changed@7', 'Applied new@8']);
    expect(events.filter((it) => it === 'Synced')).toHaveLength(1);
  });

  test.each([
    ['a lost connection', new ClusterError('Unavailable', 'ECONNRESET')],
    ['an overloaded server', refused(429)],
    ['a broken server', refused(500)],
    ['an absent server', refused(503)],
  ])('does not list again for %s', async (_name, error) => {
    const { what } = await play([{ list: empty, stream: error }]);
    await clock.advance(1000);
    expect(what()).toEqual(['list', 'watch 1', 'watch 1']);
  });

  test('retries for ever, ever slower up to a limit', async () => {
    const { at, what, events } = await play(Array.from({ length: 9 }, () => ({ list: refused(500) })));
    await clock.advance(100_000);
    expect(at()).toEqual([0, 250, 750, 1750, 3750, 7750, 12_750, 17_750, 22_750, 27_750, 27_750]);
    expect(what().slice(-2)).toEqual(['list', 'watch 1']);
    expect(events).toEqual(['Synced']);
  });

  test('waits as long as the server asks', async () => {
    const { at } = await play([{ list: refused(429, 7) }]);
    await clock.advance(10_000);
    expect(at()).toEqual([0, 7000, 7000]);
  });

  test('slows down when each list is followed by 410', async () => {
    const { at } = await play(Array.from({ length: 4 }, () => ({ list: empty, stream: [bookmark(2), expired] })));
    await clock.advance(20_000);
    expect(at().filter((_time, i) => i % 2 === 0)).toEqual([0, 250, 750, 1750, 3750]);
  });

  test.each<[string, readonly Step[]]>([
    ['closes', []],
    ['says something and closes', [bookmark(2)]],
    ['says half of something and is cut off', [bookmark(2), bookmark(3).slice(0, 20), new Error('terminated')]],
  ])('slows down when the server %s at once each time', async (_name, stream) => {
    const { at } = await play([{ list: empty, stream }, { stream }, { stream }, { stream }]);
    await clock.advance(20_000);
    expect(at()).toEqual([0, 0, 250, 750, 1750, 3750]);
  });

  test('does not slow down when something came on a connection that held', async () => {
    const stream = [bookmark(2), 1000];
    const { at } = await play([{ list: empty, stream: [] }, { stream: [] }, { stream }, { stream }, { stream }]);
    await clock.advance(20_000);
    expect(at()).toEqual([0, 0, 250, 750, 1750, 2750, 3750]);
  });

  test('forgets its failures once a connection held', async () => {
    const { at, what } = await play([{ list: refused(500) }, { list: refused(500) }, { list: refused(500) }]);
    await clock.advance(1750 + 150_000 + 250);
    expect(what().slice(-2)).toEqual(['watch 1', 'watch 1']);
    expect(at().at(-1)).toBe(1750 + 150_000 + 250);
  });

  test('gives up a connection that has been silent for too long, and no other', async () => {
    const { loop, at, requests } = await play([{ list: empty, stream: [bookmark(2), SILENCE] }]);
    await clock.advance(150_000 - 1);
    expect(requests).toHaveLength(2);
    expect(loop).toMatchObject({ name: 'secrets', synced: true, lastContact: 0 });
    await clock.advance(1000);
    expect(at().at(-1)).toBe(150_000);
    expect(loop.lastContact).toBe(150_000);
  });

  test('outlives a handler that throws', async () => {
    const { events } = await play(
      [
        {
          list: { objects: [object('a', 1)], resourceVersion: '1' },
          stream: [line('ADDED', object('b', 2)), SILENCE],
        },
      ],
      () => {
        throw new Error('a bug');
      },
    );
    expect(events).toEqual(['Applied a@1', 'Synced', 'Applied b@2']);
  });

  test('ends when aborted, also by its own handler, and reports no more', async () => {
    const { events, ended } = await play(
      [{ list: { objects: [object('a', 1), object('b', 2)], resourceVersion: '2' } }],
      () => {
        stop.abort();
      },
    );
    await ended;
    expect(events).toEqual(['Applied a@1']);
  });

  test.each<[string, Answer]>([
    ['while it waits for another attempt', { list: refused(500) }],
    ['while it follows', { list: empty, stream: [SILENCE] }],
  ])('ends when aborted %s', async (_name, answer) => {
    const { ended } = await play([answer]);
    stop.abort();
    await ended;
  });
});
