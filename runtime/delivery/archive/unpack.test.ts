import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { DownloadError } from '../download-error.ts';
import { tarOf, zipOf, type FixtureEntry } from './archive-fixtures.ts';
import type { WrittenFile } from './archive-writer.ts';
import { archiveKind, unpack } from './unpack.ts';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'unpack-'));
  await mkdir(join(directory, 'out'));
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

const FORMS = {
  tar: tarOf,
  'tar.gz': (entries: readonly FixtureEntry[]) => gzipSync(tarOf(entries)),
  zip: zipOf,
};

async function unpackBytes(
  bytes: Buffer,
  mostBytes = 2 ** 30,
  makeRoom: (written: number) => Promise<void> = () => Promise.resolve(),
): Promise<readonly WrittenFile[]> {
  const path = join(directory, 'archive');
  await writeFile(path, bytes);
  const kind = await archiveKind(path);
  if (kind === undefined) throw new Error('no archive');
  return unpack(path, kind, join(directory, 'out'), mostBytes, makeRoom, new AbortController().signal);
}

const written = async (): Promise<string[]> => {
  const entries = await readdir(join(directory, 'out'), { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
};

describe.each(Object.entries(FORMS))('%s', (form, make) => {
  test('gives its files with their digests', async () => {
    const files = await unpackBytes(
      make([
        { name: './1/model.onnx', content: 'model' },
        { name: 'config.pbtxt', content: '' },
      ]),
    );
    expect(files.map(({ path, sizeBytes }) => [path, sizeBytes]).sort()).toEqual([
      ['1/model.onnx', 5],
      ['config.pbtxt', 0],
    ]);
    await expect(readFile(join(directory, 'out/1/model.onnx'), 'utf8')).resolves.toBe('model');
    expect(files.find(({ sizeBytes }) => sizeBytes === 0)?.sha256).toMatch(/^e3b0c442/);
  });

  test.each([
    '../model.onnx',
    'a/../../model.onnx',
    '/etc/model.onnx',
    'a/./b',
    'a//b',
    'a\\..\\b',
    'c:model.onnx',
    'a\u0001b',
    '..',
    `${'a/'.repeat(40)}b`,
  ])('refuses a name that could lead out: %j', async (name) => {
    await expect(unpackBytes(make([{ name, content: 'x' }]))).rejects.toThrow(/could lead out of its folder/);
    await expect(written()).resolves.toEqual([]);
    await expect(readdir(directory)).resolves.toEqual(['archive', 'out']);
  });

  test.each([
    ['the same twice', 'a', 'a'],
    ['names that differ in case', 'Model.onnx', 'model.ONNX'],
    ['names that differ in how an accent is written', 'mod\u00e8le', 'mode\u0300le'],
  ])('refuses %s', async (_, first, second) => {
    const entries = [
      { name: first, content: '1' },
      { name: second, content: '2' },
    ];
    await expect(unpackBytes(make(entries))).rejects.toThrow(/twice, or another name/);
  });

  test('refuses a file below a file', async () => {
    await expect(
      unpackBytes(
        make([
          { name: 'a', content: '1' },
          { name: 'a/b', content: '2' },
        ]),
      ),
    ).rejects.toThrow(/as a file and as a folder/);
  });

  test('refuses more files than a model has', async () => {
    // Its own folder, again and again: nothing is written for it.
    const entries = Array.from({ length: 10_001 }, () => ({ name: './', type: '5' }));
    await expect(unpackBytes(make(entries))).rejects.toThrow(/more than 10000 entries/);
  });

  test('refuses more bytes than there may be', async () => {
    await expect(unpackBytes(make([{ name: 'a', content: 'x'.repeat(1000) }]), 999)).rejects.toThrow(
      /more than 999 bytes when unpacked/,
    );
  });

  test('that is cut short anywhere is refused', async () => {
    const whole = make([{ name: 'model.onnx', content: 'weights of a model' }]);
    // What a tar has behind its first empty block says nothing.
    const needed = form === 'tar' ? whole.byteLength - 1023 : whole.byteLength;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 512, max: Math.max(512, needed - 1) }), async (length) => {
        await rm(join(directory, 'out'), { recursive: true });
        await mkdir(join(directory, 'out'));
        await expect(unpackBytes(whole.subarray(0, Math.min(length, whole.byteLength - 1)))).rejects.toThrow();
      }),
      { numRuns: 30 },
    );
  });

  test('that is damaged never writes outside, whatever it does', async () => {
    const whole = make([
      { name: 'a/b.onnx', content: 'weights' },
      { name: 'c', content: 'more' },
    ]);
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.byteLength - 1), fc.integer({ min: 1, max: 255 }), async (position, change) => {
        await rm(join(directory, 'out'), { recursive: true });
        await mkdir(join(directory, 'out'));
        const damaged = Buffer.from(whole);
        damaged[position] = (damaged[position] ?? 0) ^ change;
        await unpackBytes(damaged).catch(() => undefined);
        await expect(readdir(directory)).resolves.toEqual(['archive', 'out']);
      }),
      { numRuns: 100 },
    );
  });
});

test.each(['1', '2', '3', '4', '6', 'S', 'K'])(
  'a tar entry of type %s, a link or a device, is refused',
  async (type) => {
    await expect(unpackBytes(tarOf([{ name: 'a', type }]))).rejects.toThrow(/neither a file nor a folder/);
  },
);

test('a tar of the tar program is read, long names included', async () => {
  const long = `${'deep/'.repeat(25)}${'n'.repeat(120)}.onnx`;
  await mkdir(join(directory, 'in', 'deep/'.repeat(25)), { recursive: true });
  await writeFile(join(directory, 'in', long), 'model');
  for (const format of ['gnu', 'pax']) {
    const bytes = execFileSync('tar', [`--format=${format}`, '-czf', '-', '-C', join(directory, 'in'), '.']);
    await rm(join(directory, 'out'), { recursive: true });
    await mkdir(join(directory, 'out'));
    await expect(unpackBytes(bytes)).resolves.toMatchObject([{ path: long, sizeBytes: 5 }]);
  }
});

test('a bomb is refused by its ratio, long before it is unpacked', async () => {
  const zeros = Buffer.alloc(80 * 2 ** 20);
  await expect(unpackBytes(gzipSync(tarOf([{ name: 'a', content: zeros }])))).rejects.toThrow(/when unpacked/);
  await expect(unpackBytes(zipOf([{ name: 'a', content: zeros }]))).rejects.toThrow(/when unpacked/);
});

test('a bomb of what is behind its last file is refused, too', async () => {
  const archive = tarOf([{ name: 'a', content: 'x' }]);
  const zeros = gzipSync(Buffer.alloc(2 ** 20));
  const behind = [gzipSync(archive), ...Array.from({ length: 200 }, () => zeros)];
  await expect(unpackBytes(Buffer.concat(behind))).rejects.toThrow(/when unpacked/);
});

test('room is asked for while it is unpacked, and the answer to that is passed on', async () => {
  const asked: number[] = [];
  const entries = [{ name: 'a', content: Buffer.alloc(70 * 2 ** 20) }];
  const bytes = tarOf(entries);
  const makeRoom = (written: number): Promise<void> => {
    asked.push(written);
    return Promise.resolve();
  };
  await unpackBytes(bytes, 2 ** 30, makeRoom);
  expect(asked).toEqual([expect.any(Number), 70 * 2 ** 20]);
  await rm(join(directory, 'out', 'a'));
  const none = new DownloadError('there is no room', 'lasting');
  await expect(unpackBytes(bytes, 2 ** 30, () => Promise.reject(none))).rejects.toBe(none);
});

test('what the file system says is not said of the archive', async () => {
  await rm(join(directory, 'out'), { recursive: true });
  await writeFile(join(directory, 'out'), '');
  await expect(unpackBytes(tarOf([{ name: 'a', content: 'x' }]))).rejects.toMatchObject({
    code: expect.stringMatching(/^E(?:NOTDIR|EXIST)$/),
  });
});

test.each<[string, NonNullable<FixtureEntry['says']>, RegExp]>([
  ['a link', { mode: 0o120777 }, /neither a file nor a folder/],
  ['an encrypted entry', { flags: 1 }, /is encrypted/],
  ['another compression', { method: 14 }, /method 14/],
  ['more than it says', { size: 3 }, /larger than it says/],
  ['less than it says', { size: 300 }, /is damaged/],
])('a zip with %s is refused', async (_, says, message) => {
  await expect(unpackBytes(zipOf([{ name: 'a', content: 'content', says }]))).rejects.toThrow(message);
});

test('a zip whose entries share their bytes is refused', async () => {
  const entries = [
    { name: 'a', content: 'x' },
    { name: 'b', content: 'x', says: { offset: 0 } },
  ];
  await expect(unpackBytes(zipOf(entries))).rejects.toThrow(/overlap/);
});

test('a compressed file that holds no tar is refused', async () => {
  await expect(unpackBytes(gzipSync(Buffer.alloc(2000, 'model')))).rejects.toThrow(/is no tar/);
});
