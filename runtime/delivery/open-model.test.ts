import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Cancel } from '../../common/platform/clock.ts';
import { ManualClock } from '../../common/platform/manual-clock.ts';
import { FETCH_LIMITS } from './fetch-limits.ts';
import { openModel, type ModelFile, type OpenOptions } from './open-model.ts';

const BODY = Buffer.from('not a model, but bytes');
const DIGEST = createHash('sha256').update(BODY).digest('hex');
const OTHER = 'ab'.repeat(32);

/** Pauses before another attempt are over at once; other time passes only when a test says so. */
class HurriedClock extends ManualClock {
  override after(milliseconds: number, callback: () => void): Cancel {
    if (![250, 1000, 4000].includes(milliseconds)) return super.after(milliseconds, callback);
    const immediate = setImmediate(callback);
    return () => {
      clearImmediate(immediate);
    };
  }
}

let directory: string;
let clock: HurriedClock;
let server: Server | undefined;
let requests: string[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'open-model-'));
  clock = new HurriedClock();
  requests = [];
});

afterEach(async () => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
  await rm(directory, { recursive: true });
  expect(clock.pending).toBe(0);
});

/** Serves until the test has ended, and returns the URL of `/model.onnx`. */
async function serve(listener: RequestListener): Promise<string> {
  server = createServer((request, response) => {
    requests.push(request.url ?? '');
    listener(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/model.onnx`;
}

const open = (uri: string, sha256?: string, options: Partial<OpenOptions> = {}): Promise<ModelFile> =>
  openModel(
    { uri, ...(sha256 !== undefined && { sha256 }) },
    { directory, clock, signal: new AbortController().signal, environment: {}, random: () => 1, ...options },
  );

/** Folders of a fetch that goes on. */
const fetching = async (): Promise<string[]> => (await readdir(directory)).filter((name) => name.startsWith('fetch'));

/** Never answers; the client's patience ends at once. */
const hang: RequestListener = () => void clock.advance(FETCH_LIMITS.idleMilliseconds);

const failure = (reason: string, message: string | RegExp): unknown =>
  expect.objectContaining({ name: 'StartError', reason, message: expect.stringMatching(message) });

describe('a model by http', () => {
  test('is stored under its digest, and nothing else stays', async () => {
    const { path, digest } = await open(await serve((_, response) => response.end(BODY)));
    expect(path).toBe(join(directory, 'sha256', DIGEST));
    await expect(digest).resolves.toEqual({ sha256: DIGEST, sizeBytes: BODY.byteLength });
    await expect(readFile(path)).resolves.toEqual(BODY);
    await expect(fetching()).resolves.toEqual([]);
  });

  test('is fetched once if it is pinned, and again if the stored file was damaged', async () => {
    const uri = await serve((_, response) => response.end(BODY));
    await open(uri, DIGEST.toUpperCase());
    const { path } = await open(uri, DIGEST);
    expect(requests).toHaveLength(1);
    await writeFile(path, 'damaged');
    await open(uri, DIGEST);
    expect(requests).toHaveLength(2);
    await expect(readFile(path)).resolves.toEqual(BODY);
  });

  test('is refused, and not stored, if it is not what the pin says', async () => {
    const uri = await serve((_, response) => response.end(BODY));
    await expect(open(uri, OTHER)).rejects.toEqual(failure('ModelDigestMismatch', new RegExp(`${DIGEST}.*${OTHER}`)));
    await expect(readdir(join(directory, 'sha256'))).resolves.toEqual([]);
  });

  test('is fetched again after a 500', async () => {
    const uri = await serve((_, response) => response.writeHead(requests.length < 3 ? 500 : 200).end(BODY));
    await expect(open(uri)).resolves.toMatchObject({ path: join(directory, 'sha256', DIGEST) });
    expect(requests).toHaveLength(3);
  });

  test('follows redirects', async () => {
    const uri = await serve((request, response) => {
      if (request.url === '/elsewhere') response.end(BODY);
      else response.writeHead(302, { location: '/elsewhere' }).end();
    });
    await open(uri);
    expect(requests).toEqual(['/model.onnx', '/elsewhere']);
  });

  test.each<[string, string, RegExp, number, RequestListener]>([
    ['is missing', 'ModelNotFound', /no model at .*answered 404/, 1, (_, response) => response.writeHead(404).end()],
    [
      'is forbidden',
      'ModelFetchFailed',
      /answered 403: it wants cred/,
      1,
      (_, response) => response.writeHead(403).end(),
    ],
    [
      'fails for ever',
      'ModelFetchFailed',
      /answered 503 \(4 attempts\)/,
      4,
      (_, response) => response.writeHead(503).end(),
    ],
    [
      'is cut short',
      'ModelFetchFailed',
      /connection ended early \(4 attempts\)/,
      4,
      (_, response) => {
        response.writeHead(200, { 'content-length': 100 });
        response.write('12345');
        // An orderly end, as a reset could overtake the bytes.
        response.socket?.end();
      },
    ],
    ['hangs before it answers', 'ModelFetchFailed', /sent nothing, or next to nothing, for 30 s/, 4, hang],
    [
      'hangs in the middle',
      'ModelFetchFailed',
      /sent nothing, or next to nothing, for 30 s/,
      4,
      (request, response) => {
        response.writeHead(200, { 'content-length': 100 }).write('12345');
        hang(request, response);
      },
    ],
    ['hangs up', 'ModelFetchFailed', /connection (?:was reset|ended early)/, 4, (request) => request.socket.destroy()],
    [
      'redirects in a circle',
      'ModelFetchFailed',
      /redirects too often/,
      6,
      (_, response) => response.writeHead(307, { location: '/model.onnx' }).end(),
    ],
    [
      'redirects to a file',
      'ModelFetchFailed',
      /neither https nor http/,
      1,
      (_, response) => response.writeHead(302, { location: 'file:///etc/passwd' }).end(),
    ],
    [
      'says it is too large',
      'ModelFetchFailed',
      /larger than the 17179869184 bytes/,
      1,
      (_, response) => response.writeHead(200, { 'content-length': 2 ** 34 + 1 }).flushHeaders(),
    ],
    [
      'is compressed',
      'ModelFetchFailed',
      /content-encoding gzip/,
      1,
      (_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(BODY),
    ],
  ])('that %s is a failure that says so', async (_, reason, message, times, listener) => {
    const uri = await serve(listener);
    await expect(open(uri)).rejects.toEqual(failure(reason, message));
    expect(requests).toHaveLength(times);
    await expect(fetching()).resolves.toEqual([]);
  });

  test('that turns out too large is given up', async () => {
    const uri = await serve((_, response) => {
      // In chunks, without a length that would give it away.
      response.write(BODY);
      response.end();
    });
    await expect(open(uri, undefined, { environment: { PILOTLIGHT_MODEL_CACHE_BYTES: '10' } })).rejects.toEqual(
      failure('ModelFetchFailed', 'larger than the 10 bytes'),
    );
  });

  test('that takes for ever is given up', async () => {
    const hung = await serve(() => void clock.advance(2000));
    const limits = { ...FETCH_LIMITS, totalMilliseconds: 2000 };
    await expect(open(hung, undefined, { limits })).rejects.toEqual(failure('ModelFetchFailed', 'longer than 2 s'));
  });

  test('refused by the host is a failure without the secrets of its URI', async () => {
    const uri = await serve(() => undefined);
    server?.close();
    const secret = `${uri.replace('http://', 'http://user:password@')}?token=secret`;
    await expect(open(secret)).rejects.toEqual(failure('ModelFetchFailed', `model at ${uri} could .*refused`));
  });

  test('is given up when the start is', async () => {
    const controller = new AbortController();
    const uri = await serve(() => controller.abort(new Error('stopped')));
    await expect(open(uri, undefined, { signal: controller.signal })).rejects.toThrow('stopped');
    await expect(fetching()).resolves.toEqual([]);
  });

  test('needs a directory that can be written', async () => {
    await writeFile(join(directory, 'file'), '');
    const uri = await serve((_, response) => response.end(BODY));
    await expect(open(uri, undefined, { directory: join(directory, 'file') })).rejects.toEqual(
      failure('ModelFetchFailed', 'cannot be written to'),
    );
  });
});

describe('a model in a file', () => {
  test('stays where it is, and is hashed', async () => {
    const path = join(directory, 'a b.onnx');
    await writeFile(path, BODY);
    const opened = await open(`file:${path.replace(' ', '%20')}`);
    expect(opened.path).toBe(path);
    await expect(opened.digest).resolves.toEqual({ sha256: DIGEST, sizeBytes: BODY.byteLength });
    await expect(open(`file:${path}`, DIGEST)).resolves.toMatchObject({ path });
    await expect(open(`file:${path}`, OTHER)).rejects.toEqual(failure('ModelDigestMismatch', OTHER));
  });

  test.each([
    ['does not exist', 'nothing', 'ModelNotFound'],
    ['does not exist', 'folder/nothing', 'ModelNotFound'],
    ['is a folder, and it is empty', 'folder', 'ModelNotFound'],
  ])('that %s is a failure that names the path', async (problem, name, reason) => {
    await mkdir(join(directory, 'folder'));
    const path = join(directory, name);
    await expect(open(`file:${path}`)).rejects.toEqual(failure(reason, `${problem}.*${path}`));
  });
});

test('a model in an image that is not mounted is a failure that says what the cluster lacks', async () => {
  await expect(open('oci://ghcr.io/models/digits:1')).rejects.toEqual(
    failure('ModelNotFound', 'ghcr.io/models/digits:1 is not mounted: this cluster has no image volumes'),
  );
});

test('a pin that is no digest never becomes a path', async () => {
  await expect(open('http://host/a', '../../etc')).rejects.toEqual(failure('ConfigurationInvalid', '64 hexadecimal'));
});
