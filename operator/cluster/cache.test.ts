import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createLogger } from '../../common/platform/logging.ts';
import { ManualClock } from '../../common/platform/manual-clock.ts';
import { watchCache, type WatchCache } from './cache.ts';
import { ClusterError, type Cluster, type KubernetesObject, type WatchEvent } from './port.ts';
import { PODS, type Pod } from './resources.ts';

const LABEL = 'pilotlight.dev/revision';

function pod(name: string, resourceVersion: number, uid = `uid-${name}`, revision = 'digits-00001'): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      namespace: 'default',
      name,
      uid,
      resourceVersion: String(resourceVersion),
      labels: { [LABEL]: revision },
    },
    spec: { containers: [] },
  };
}

let clock: ManualClock;
let stop: AbortController;
let cache: WatchCache<Pod>;
let send: (event: WatchEvent<Pod>) => void;
let answerGet: () => Promise<Pod | undefined>;
let gets: number;
let heard: string[];

/** A watch whose events the test sends itself, late and out of step with the answers to writes. */
function start(signal: AbortSignal): WatchCache<Pod> {
  const cluster = {
    watch: (_resource: unknown, scope: unknown, onEvent: (event: WatchEvent<Pod>) => void) => {
      expect(scope).toEqual({ namespace: 'default' });
      send = onEvent;
    },
    get: () => {
      gets++;
      return answerGet();
    },
  } as unknown as Pick<Cluster, 'watch' | 'get'>;
  const logger = createLogger('test', 'silent');
  return watchCache({
    cluster,
    resource: PODS,
    scope: { namespace: 'default' },
    indexBy: ({ metadata }) => metadata.labels?.[LABEL],
    clock,
    logger,
    signal,
  });
}

beforeEach(() => {
  clock = new ManualClock();
  stop = new AbortController();
  gets = 0;
  heard = [];
  answerGet = () => Promise.resolve(undefined);
  cache = start(stop.signal);
  cache.subscribe((event) => heard.push(`${event.type} ${describeObject(event.object)}`));
});

afterEach(() => {
  stop.abort();
  expect(clock.pending).toBe(0);
});

const applied = (object: Pod): void => send({ type: 'Applied', object });
const deleted = (object: Pod): void => send({ type: 'Deleted', object });
const describeObject = ({ metadata }: KubernetesObject): string => `${metadata.name}@${metadata.resourceVersion}`;
const held = (): string[] => cache.list().map(describeObject);

describe('what the watch shows', () => {
  test('is there, by key, as a list and by label', () => {
    const a = pod('a', 1);
    const b = pod('b', 2, 'uid-b', 'digits-00002');
    applied(a);
    applied(b);
    expect(cache.get({ namespace: 'default', name: 'a' })).toBe(a);
    expect(cache.get({ namespace: 'other', name: 'a' })).toBeUndefined();
    expect(cache.list()).toEqual([a, b]);
    expect(cache.indexed('default', 'digits-00002')).toEqual([b]);
    expect(cache.indexed('default', 'none')).toEqual([]);
    expect(cache.indexed('other', 'digits-00002')).toEqual([]);
  });

  test('changes and goes, in the index too', () => {
    applied(pod('a', 1));
    applied(pod('a', 2, 'uid-a', 'digits-00002'));
    expect(cache.indexed('default', 'digits-00001')).toEqual([]);
    expect(cache.indexed('default', 'digits-00002').map(describeObject)).toEqual(['a@2']);
    deleted(pod('a', 3, 'uid-a', 'digits-00002'));
    expect(cache.list()).toEqual([]);
    expect(cache.indexed('default', 'digits-00002')).toEqual([]);
    expect(heard).toEqual(['Applied a@1', 'Applied a@2', 'Deleted a@3']);
  });

  test('may leave the scope and come back', () => {
    applied(pod('a', 1));
    deleted(pod('a', 2));
    applied(pod('a', 3));
    expect(held()).toEqual(['a@3']);
  });

  test('is reported once when it comes twice', () => {
    applied(pod('a', 1));
    applied(pod('a', 1));
    deleted(pod('a', 2));
    deleted(pod('a', 2));
    expect(heard).toEqual(['Applied a@1', 'Deleted a@2']);
  });
});

describe('an observed write', () => {
  test('is there at once, is reported once, and no older event takes it back', () => {
    applied(pod('a', 1));
    cache.observe(pod('a', 5));
    cache.observe(pod('b', 6));
    expect(held()).toEqual(['a@5', 'b@6']);
    applied(pod('a', 3));
    expect(held()).toEqual(['a@5', 'b@6']);
    applied(pod('a', 5));
    applied(pod('b', 6));
    applied(pod('a', 10));
    expect(held()).toEqual(['a@10', 'b@6']);
    expect(heard).toEqual(['Applied a@1', 'Applied a@5', 'Applied b@6', 'Applied a@10']);
  });

  test('that is answered late does not take back what the watch showed', () => {
    applied(pod('a', 9));
    cache.observe(pod('a', 5));
    expect(held()).toEqual(['a@9']);
  });

  test('that is answered after the deletion does not raise the object from the dead', () => {
    applied(pod('a', 1));
    deleted(pod('a', 9));
    cache.observe(pod('a', 5));
    expect(held()).toEqual([]);
  });

  test('is gone when the watch says so, whatever the versions', () => {
    cache.observe(pod('a', 5));
    deleted(pod('a', 5));
    expect(held()).toEqual([]);
  });

  test('of a new object under an old name stays when the old one’s events come', () => {
    applied(pod('a', 1, 'old'));
    cache.observe(pod('a', 5, 'new'));
    applied(pod('a', 3, 'old'));
    deleted(pod('a', 4, 'old'));
    expect(held()).toEqual(['a@5']);
    expect(heard).toEqual(['Applied a@1', 'Deleted a@1', 'Applied a@5']);
    cache.observe(pod('a', 2, 'old'));
    expect(held()).toEqual(['a@5']);
  });

  test('stays until the watch delivers where versions have no order', () => {
    const opaque = (resourceVersion: string): Pod => {
      const object = pod('a', 1);
      return { ...object, metadata: { ...object.metadata, resourceVersion } };
    };
    applied(opaque('x'));
    cache.observe(opaque('y'));
    expect(held()).toEqual(['a@y']);
    applied(opaque('x'));
    expect(held()).toEqual(['a@x']);
  });
});

describe('an observed object that no event ever shows', () => {
  test('goes when the cluster does not have it', async () => {
    cache.observe(pod('a', 5));
    await clock.advance(10_000);
    expect(held()).toEqual([]);
    expect(heard).toEqual(['Applied a@5', 'Deleted a@5']);
  });

  test('goes when its name belongs to another', async () => {
    cache.observe(pod('a', 5));
    answerGet = () => Promise.resolve(pod('a', 9, 'other'));
    await clock.advance(10_000);
    expect(held()).toEqual([]);
  });

  test('stays while the cluster has it or does not answer, and is asked for again', async () => {
    cache.observe(pod('a', 5));
    answerGet = () => Promise.resolve(pod('a', 6));
    await clock.advance(10_000);
    answerGet = () => Promise.reject(new ClusterError('Unavailable', 'down'));
    await clock.advance(10_000);
    expect(held()).toEqual(['a@5']);
    answerGet = () => Promise.resolve(undefined);
    await clock.advance(10_000);
    expect(held()).toEqual([]);
    expect(gets).toBe(3);
  });

  test('is not asked for once the watch has shown it', async () => {
    cache.observe(pod('a', 5));
    applied(pod('a', 5));
    applied(pod('b', 6));
    cache.observe(pod('b', 7));
    await clock.advance(60_000);
    expect(gets).toBe(0);
    expect(held()).toEqual(['a@5', 'b@7']);
  });
});

describe('the cache', () => {
  test('is synced when the watch is', async () => {
    expect(cache.hasSynced).toBe(false);
    send({ type: 'Synced' });
    await cache.synced;
    expect(cache.hasSynced).toBe(true);
  });

  test.each([
    ['before', true],
    ['after', false],
  ])('says so when it is ended %s it begins, before it is synced', async (_name, before) => {
    const ended = new AbortController();
    if (before) ended.abort();
    const other = start(ended.signal);
    ended.abort();
    await expect(other.synced).rejects.toThrow('pods was ended');
  });

  test('tells every subscriber, also after one threw, until it leaves', () => {
    const late: string[] = [];
    cache.subscribe(() => {
      throw new Error('a bug');
    });
    const leave = cache.subscribe(({ object }) => late.push(object.metadata.name));
    applied(pod('a', 1));
    leave();
    cache.observe(pod('b', 2));
    expect(late).toEqual(['a']);
    expect(heard).toEqual(['Applied a@1', 'Applied b@2']);
  });
});
