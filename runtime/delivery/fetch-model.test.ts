import { createHash } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, statfs, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { tarOf, zipOf } from './archive/archive-fixtures.ts';
import { ModelCache } from './cache/model-cache.ts';
import { DeliveryFixture, HurriedClock, sendFile } from './delivery-fixture.ts';
import { modelDigest } from './model-digest.ts';
import { modelWithData } from './onnx-fixtures.ts';

const sha = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex');

let fixture: DeliveryFixture;
/** What is served, by path. */
let files: Record<string, Buffer>;
let base: string;

beforeEach(async () => {
  fixture = new DeliveryFixture();
  files = {};
  base = await fixture.serve((request, response) => {
    const bytes = files[request.url ?? ''];
    if (bytes === undefined) response.writeHead(404).end();
    else sendFile(request, response, bytes, `"${sha(bytes).slice(0, 8)}"`);
  });
});
afterEach(() => {
  fixture.close();
});

const bodies = (): number => fixture.requests.length;
const stored = async (): Promise<string[]> => (await readdir(join(fixture.directory, 'sha256'))).sort();

describe('a model that keeps weights in other files', () => {
  beforeEach(() => {
    files = {
      '/m/net.onnx': modelWithData('net.data', 'more/deep.bin'),
      '/m/net.data': Buffer.from('weights'),
      '/m/more/deep.bin': Buffer.from('more weights'),
    };
  });
  const digest = (): string =>
    modelDigest(
      Object.entries(files).map(([path, bytes]) => ({
        name: path.slice(3),
        sha256: sha(bytes),
        sizeBytes: bytes.byteLength,
      })),
    ).sha256;

  test('is fetched with them, and pinned by their listing', async () => {
    const { path, digest: found } = await fixture.open(`${base}/m/net.onnx`, digest());
    expect(path).toBe(join(fixture.directory, 'sha256', digest(), 'net.onnx'));
    await expect(readFile(join(path, '../more/deep.bin'), 'utf8')).resolves.toBe('more weights');
    await expect(found).resolves.toMatchObject({ sha256: digest() });
  });

  test('is refused if only its weights are not what the pin says', async () => {
    const pin = digest();
    files['/m/net.data'] = Buffer.from('other');
    await expect(fixture.open(`${base}/m/net.onnx`, pin)).rejects.toMatchObject({
      reason: 'ModelDigestMismatch',
      message: expect.stringMatching(/over its 3 files/),
    });
    await expect(stored()).resolves.toEqual([]);
  });

  test('is fetched anew if only its weights have changed', async () => {
    const first = await fixture.open(`${base}/m/net.onnx`);
    files['/m/net.data'] = Buffer.from('other');
    const second = await fixture.open(`${base}/m/net.onnx`);
    expect(second.path).not.toBe(first.path);
    await expect(readFile(join(second.path, '../net.data'), 'utf8')).resolves.toBe('other');
  });

  test('is not there without them, and says which is missing', async () => {
    delete files['/m/more/deep.bin'];
    await expect(fixture.open(`${base}/m/net.onnx`)).rejects.toMatchObject({
      reason: 'ModelNotFound',
      message: expect.stringMatching(/404, for more\/deep.bin, in which it keeps weights/),
    });
  });

  test('is pinned by names as the files have them, whatever the address writes', async () => {
    files = { '/m/n%20%C3%A9.onnx': modelWithData('w \u00e9.bin'), '/m/w%20%C3%A9.bin': Buffer.from('weights') };
    const pin = modelDigest(
      Object.entries(files).map(([path, bytes]) => ({
        name: decodeURIComponent(path.slice(3)),
        sha256: sha(bytes),
        sizeBytes: bytes.byteLength,
      })),
    ).sha256;
    const { path } = await fixture.open(`${base}/m/n%20%C3%A9.onnx`, pin);
    expect(path).toBe(join(fixture.directory, 'sha256', pin, 'n \u00e9.onnx'));
  });

  test.each([
    ['in itself', ['net.onnx'], 'net.onnx'],
    ['in a file and below it', ['a/b', 'a'], 'a'],
  ])('%s is refused', async (_, locations, name) => {
    files['/m/net.onnx'] = modelWithData(...locations);
    await expect(fixture.open(`${base}/m/net.onnx`)).rejects.toMatchObject({
      reason: 'ModelInvalid',
      message: expect.stringContaining(`"${name}", where another`),
    });
  });

  test.each(['../secret', '/etc/passwd', 'a/../../b', '\\\\host\\share'])('at %s is refused', async (location) => {
    files['/m/net.onnx'] = modelWithData(location);
    await expect(fixture.open(`${base}/m/net.onnx`)).rejects.toMatchObject({ reason: 'ModelInvalid' });
  });
});

describe('an archive', () => {
  const entries = [
    { name: 'digits/config.pbtxt', content: '' },
    { name: 'digits/1/model.onnx', content: 'first' },
    { name: 'digits/2/model.onnx', content: 'second' },
  ];

  test.each([
    ['tar', tarOf(entries)],
    ['tar.gz', gzipSync(tarOf(entries))],
    ['zip', zipOf(entries)],
  ])('of %s is unpacked, pinned by its own digest, and unpacked once', async (_, bytes) => {
    // By what it is, not by what it is called.
    files['/download'] = bytes;
    const { path, digest } = await fixture.open(`${base}/download`, sha(bytes));
    expect(path).toBe(join(fixture.directory, 'sha256', sha(bytes), 'digits/2/model.onnx'));
    await expect(readFile(path, 'utf8')).resolves.toBe('second');
    await expect(digest).resolves.toEqual({ sha256: sha(bytes), sizeBytes: bytes.byteLength });
    const asked = bodies();
    await fixture.open(`${base}/download`, sha(bytes));
    expect(bodies()).toBe(asked);
  });

  test('on the disk is unpacked too', async () => {
    const bytes = zipOf(entries);
    const file = join(fixture.directory, 'model.zip');
    await writeFile(file, bytes);
    const { path } = await fixture.open(`file:${file}`, sha(bytes));
    await expect(readFile(path, 'utf8')).resolves.toBe('second');
    await expect(fixture.open(`file:${file}`, 'ab'.repeat(32))).rejects.toMatchObject({
      reason: 'ModelDigestMismatch',
    });
  });

  test('with a name that leads out is refused, and leaves nothing', async () => {
    files['/a.zip'] = zipOf([{ name: '../../model.onnx', content: 'x' }]);
    await expect(fixture.open(`${base}/a.zip`)).rejects.toMatchObject({
      reason: 'ModelInvalid',
      message: expect.stringMatching(/^The archive at http.*could lead out of its folder/),
    });
    await expect(stored()).resolves.toEqual([]);
    await expect(readdir(fixture.directory)).resolves.toEqual(['entries', 'in-use', 'sha256', 'sources']);
  });

  test('without a model is refused', async () => {
    files['/a.zip'] = zipOf([{ name: 'readme.txt', content: 'x' }]);
    await expect(fixture.open(`${base}/a.zip`)).rejects.toThrow(/no ONNX file \(readme.txt\)/);
  });
});

describe('the cache', () => {
  test('is asked first for a pinned model, in a new process too', async () => {
    files['/a'] = Buffer.from('model');
    await fixture.open(`${base}/a`, sha('model'));
    await fixture.open('http://127.0.0.1:1/gone', sha('model'));
    expect(bodies()).toBe(1);
  });

  test('holds an unpinned model for as long as the server has the same version', async () => {
    files['/a'] = Buffer.from('model');
    const first = await fixture.open(`${base}/a`);
    const second = await fixture.open(`${base}/a`);
    expect(second.path).toBe(first.path);
    files['/a'] = Buffer.from('other');
    expect((await fixture.open(`${base}/a`)).path).toBe(join(fixture.directory, 'sha256', sha('other')));
  });

  test('notices a damaged entry, even of the same length and age, and fetches it anew', async () => {
    files['/a'] = Buffer.from('model');
    const { path } = await fixture.open(`${base}/a`, sha('model'));
    await writeFile(path, 'MODEL');
    await utimes(path, 1, 1);
    const again = await fixture.open(`${base}/a`, sha('model'));
    await expect(readFile(again.path, 'utf8')).resolves.toBe('model');
    expect(bodies()).toBe(2);
  });

  test('takes an entry that was only touched for what it is', async () => {
    files['/a'] = Buffer.from('model');
    const { path } = await fixture.open(`${base}/a`, sha('model'));
    await utimes(path, 1, 1);
    await fixture.open(`${base}/a`, sha('model'));
    expect(bodies()).toBe(1);
  });

  test('is filled by several at once, and none disturbs another', async () => {
    files['/a.zip'] = zipOf([{ name: 'model.onnx', content: 'model' }]);
    const opened = await Promise.all(Array.from({ length: 8 }, () => fixture.open(`${base}/a.zip`)));
    for (const { path } of opened) await expect(readFile(path, 'utf8')).resolves.toBe('model');
    expect((await readdir(fixture.directory)).filter((name) => name.startsWith('fetch'))).toEqual([]);
  });

  test('lets go what was not used for longest, and keeps what a process uses', async () => {
    const environment = { PILOTLIGHT_MODEL_CACHE_BYTES: '250' };
    const paths: string[] = [];
    for (const name of ['a', 'b']) {
      files[`/${name}`] = Buffer.alloc(100, name);
      paths.push((await fixture.open(`${base}/${name}`, undefined, { environment })).path);
      await fixture.clock.advance(1000);
    }
    files['/c'] = Buffer.alloc(100, 'c');
    await expect(fixture.open(`${base}/c`, undefined, { environment })).rejects.toThrow(
      /no room.*in use take 200 of the 250/,
    );
    // Whoever used the first has ended: no process has that number.
    const inUse = join(fixture.directory, 'in-use');
    for (const name of await readdir(inUse)) {
      if (!name.startsWith(sha(files['/a'] ?? ''))) continue;
      await writeFile(join(inUse, name.replace(/\d+-\w+$/, '4194305-0')), '');
      (await import('node:fs')).rmSync(join(inUse, name));
    }
    const { path } = await fixture.open(`${base}/c`, undefined, { environment });
    expect([...paths, path].map((one) => existsSync(one))).toEqual([false, true, true]);
  });

  test('takes a record that is none for none', async () => {
    files['/a'] = Buffer.from('model');
    await fixture.open(`${base}/a`);
    const sources = join(fixture.directory, 'sources');
    for (const name of await readdir(sources)) await writeFile(join(sources, name), '{"of": "another version"}');
    await expect(fixture.open(`${base}/a`)).resolves.toMatchObject({ path: expect.any(String) });
  });

  test('lets nothing go that somebody has just found', async () => {
    files['/a'] = Buffer.alloc(100, 'a');
    const { path } = await fixture.open(`${base}/a`);
    const cache = new ModelCache(fixture.directory, 150, fixture.clock);
    const inUse = join(fixture.directory, 'in-use');
    for (let round = 0; round < 100; round += 1) {
      for (const name of await readdir(inUse)) await rm(join(inUse, name));
      // The one finds it a little earlier or later in the course of the other's eviction.
      const finding = (async () => {
        for (let turn = 0; turn < round % 20; turn += 1) await setImmediate();
        return cache.find(sha(files['/a'] ?? ''), new AbortController().signal);
      })();
      const [found] = await Promise.all([finding, cache.makeRoom(100).catch(() => undefined)]);
      if (found !== undefined) expect(existsSync(path)).toBe(true);
      else await fixture.open(`${base}/a`);
    }
  });

  test('counts what the sessions made of models, and lets it go like them', async () => {
    await mkdir(join(fixture.directory, 'optimised'), { recursive: true });
    const made = join(fixture.directory, 'optimised', `${'cd'.repeat(32)}-cpu.onnx`);
    await writeFile(made, Buffer.alloc(200));
    files['/a'] = Buffer.alloc(100);
    await fixture.open(`${base}/a`, undefined, { environment: { PILOTLIGHT_MODEL_CACHE_BYTES: '250' } });
    expect(existsSync(made)).toBe(false);
  });

  test('makes room for what comes without a length, too', async () => {
    await mkdir(join(fixture.directory, 'optimised'), { recursive: true });
    const made = join(fixture.directory, 'optimised', `${'cd'.repeat(32)}-cpu.onnx`);
    await writeFile(made, Buffer.alloc(200));
    const chunked = await fixture.serve((_, response) => {
      response.write('model');
      response.end(Buffer.alloc(95));
    });
    await fixture.open(`${chunked}/a`, undefined, { environment: { PILOTLIGHT_MODEL_CACHE_BYTES: '250' } });
    expect(existsSync(made)).toBe(false);
  });

  test('counts what is written of a model once', async () => {
    const { bavail, bsize } = await statfs(fixture.directory);
    const free = bavail * bsize;
    const cache = new ModelCache(fixture.directory, 2 ** 52, fixture.clock);
    // The second of two files that take three quarters of the disk each, were the first not there already.
    await expect(cache.makeRoom(1.5 * free, 0.75 * free)).resolves.toBeUndefined();
    await expect(cache.makeRoom(1.5 * free)).rejects.toThrow(/no room/);
    await expect(cache.makeRoom(1.5 * free, 1.5 * free)).resolves.toBeUndefined();
    await expect(cache.makeRoom(2 ** 53, 2 ** 53)).rejects.toThrow(/allows/);
  });

  test('has room for weights that changed, however often they were looked at', async () => {
    files = { '/m/net.onnx': modelWithData('w'), '/m/w': Buffer.alloc(10_000, 'a') };
    const environment = { PILOTLIGHT_MODEL_CACHE_BYTES: '15000' };
    const { path } = await fixture.open(`${base}/m/net.onnx`, undefined, { environment });
    await rm(join(fixture.directory, 'in-use'), { recursive: true });
    await mkdir(join(fixture.directory, 'in-use'));
    files['/m/w'] = Buffer.alloc(10_000, 'b');
    const again = await fixture.open(`${base}/m/net.onnx`, undefined, { environment });
    expect(again.path).not.toBe(path);
  });

  test('removes what a process left that was killed', async () => {
    const { hostname } = await import('node:os');
    const left = join(fixture.directory, `fetch@${hostname()}.4194305-abc`);
    // In a container that was started again the number is that of this process.
    const before = join(fixture.directory, `fetch@${hostname()}.${process.pid}-abc-def`);
    const others = join(fixture.directory, 'fetch@another-pod.4194305-abc');
    for (const folder of [left, before, others]) await mkdir(folder);
    files['/a'] = Buffer.from('model');
    await fixture.open(`${base}/a`);
    expect([left, before, others].map((folder) => existsSync(folder))).toEqual([false, false, true]);
  });

  test('removes what another host’s process left, once nothing was written to it for a day', async () => {
    const [idle, busy] = ['fetch@another-pod.1-abc', 'fetch@another-pod.2-abc'].map((name) =>
      join(fixture.directory, name),
    ) as [string, string];
    const dayAgo = fixture.clock.now() / 1000 - 24 * 3600 - 1;
    for (const folder of [idle, busy]) {
      await mkdir(folder);
      await writeFile(join(folder, 'model'), 'part');
      await utimes(join(folder, 'model'), dayAgo, folder === busy ? dayAgo + 2 : dayAgo);
      await utimes(folder, dayAgo, dayAgo);
    }
    files['/a'] = Buffer.from('model');
    await fixture.open(`${base}/a`);
    expect([idle, busy].map((folder) => existsSync(folder))).toEqual([false, true]);
  });

  test('takes no model above its limit', async () => {
    files['/a'] = Buffer.alloc(100);
    const environment = { PILOTLIGHT_MODEL_CACHE_BYTES: '99' };
    await expect(fixture.open(`${base}/a`, undefined, { environment })).rejects.toThrow(/larger than the 99 bytes/);
    await expect(
      fixture.open(`${base}/a`, undefined, { environment: { PILOTLIGHT_MODEL_CACHE_BYTES: '1G' } }),
    ).rejects.toThrow(/PILOTLIGHT_MODEL_CACHE_BYTES must be a number of bytes but is "1G"/);
  });
});

describe('a model on the disk', () => {
  test('in Triton’s layout is the newest version, and weights beside it are part of its pin', async () => {
    const folder = join(fixture.directory, 'digits');
    for (const version of ['1', '2']) await mkdir(join(folder, version), { recursive: true });
    await writeFile(join(folder, '1/model.onnx'), 'old');
    await writeFile(join(folder, '2/model.onnx'), modelWithData('w.bin'));
    await writeFile(join(folder, '2/w.bin'), 'weights');
    const opened = await fixture.open(`file:${folder}`);
    expect(opened.path).toBe(join(folder, '2/model.onnx'));
    const { sha256 } = await opened.digest;
    await expect(fixture.open(`file:${folder}`, sha256)).resolves.toMatchObject({ path: opened.path });
    await writeFile(join(folder, '2/w.bin'), 'Weights');
    await expect(fixture.open(`file:${folder}`, sha256)).rejects.toMatchObject({ reason: 'ModelDigestMismatch' });
  });

  test('that is exchanged between its verification and its load is noticed', async () => {
    const file = join(fixture.directory, 'a.onnx');
    await writeFile(file, 'model');
    const opened = await fixture.open(`file:${file}`, sha('model'));
    await expect(opened.confirm?.()).resolves.toBeUndefined();
    await writeFile(file, 'other');
    await utimes(file, 1, 1);
    await expect(opened.confirm?.()).rejects.toMatchObject({
      reason: 'ModelDigestMismatch',
      message: expect.stringMatching(/changed between its verification and its load/),
    });
  });

  test('behind a link is watched where the link leads', async () => {
    const [file, link] = [join(fixture.directory, 'a.onnx'), join(fixture.directory, 'link.onnx')];
    await writeFile(file, 'model');
    await symlink('a.onnx', link);
    const opened = await fixture.open(`file:${link}`, sha('model'));
    await expect(opened.confirm?.()).resolves.toBeUndefined();
    await writeFile(file, 'other');
    await expect(opened.confirm?.()).rejects.toMatchObject({ reason: 'ModelDigestMismatch' });
  });

  test('in an archive that is exchanged between its verification and its unpacking is not served', async () => {
    const file = join(fixture.directory, 'a.zip');
    const [mine, other] = ['mine', 'other'].map((content) => zipOf([{ name: 'model.onnx', content }]));
    await writeFile(file, mine ?? '');
    // It happens when the archive has been hashed and is looked for in the cache, which asks for the time.
    for (const folder of ['entries', 'in-use']) await mkdir(join(fixture.directory, folder));
    await writeFile(join(fixture.directory, 'entries', `${sha(mine ?? '')}.json`), '{}');
    class Exchanging extends HurriedClock {
      override now(): number {
        writeFileSync(file, other ?? '');
        return super.now();
      }
    }
    const options = { clock: new Exchanging() };
    await expect(fixture.open(`file:${file}`, sha(mine ?? ''), options)).rejects.toMatchObject({
      reason: 'ModelDigestMismatch',
    });
    await expect(stored()).resolves.toEqual([]);
  });
});
