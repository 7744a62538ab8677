import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Cancel } from '../../../common/platform/clock.ts';
import { DeliveryFixture, HurriedClock, sendFile } from '../delivery-fixture.ts';
import { FETCH_LIMITS } from '../fetch-limits.ts';

const BODY = randomBytes(1000);
const DIGEST = createHash('sha256').update(BODY).digest('hex');
/** Ten parts of a hundred bytes. */
const limits = { ...FETCH_LIMITS, partBytes: 100, parallel: 3 };

let fixture: DeliveryFixture;
beforeEach(() => {
  fixture = new DeliveryFixture();
});
afterEach(() => {
  fixture.close();
});

async function fetchFrom(listener: RequestListener): Promise<Buffer> {
  const base = await fixture.serve(listener);
  const { path, digest } = await fixture.open(`${base}/model.onnx`, undefined, { limits });
  const bytes = await readFile(path);
  expect(createHash('sha256').update(bytes).digest('hex')).toBe((await digest).sha256);
  return bytes;
}

describe('a server that sends parts', () => {
  test('is asked for each once, by several connections', async () => {
    const ports = new Set<number | undefined>();
    const bytes = await fetchFrom((request, response) => {
      ports.add(request.socket.remotePort);
      // The first is held until others have come: they do not wait for it.
      if (request.headers.range === 'bytes=100-199') {
        const wait = setInterval(() => {
          if (fixture.requests.length < 4) return;
          clearInterval(wait);
          sendFile(request, response, BODY);
        }, 1);
        return;
      }
      sendFile(request, response, BODY);
    });
    expect(bytes.equals(BODY)).toBe(true);
    expect(fixture.requests.map((request) => request.split(' ')[2]).sort()).toEqual(
      Array.from({ length: 10 }, (_, index) => `bytes=${index * 100}-${index * 100 + 99}`).sort(),
    );
    expect(ports.size).toBeGreaterThan(1);
    expect(ports.size).toBeLessThanOrEqual(3);
  });

  test('and cuts one is asked for the rest of it alone', async () => {
    let cuts = 0;
    const bytes = await fetchFrom((request, response) => {
      if (request.headers.range !== 'bytes=300-399' || cuts > 0) return sendFile(request, response, BODY);
      cuts += 1;
      response.writeHead(206, { 'content-range': 'bytes 300-399/1000', 'content-length': 100, etag: '"1"' });
      response.write(BODY.subarray(300, 340));
      response.socket?.end();
      return undefined;
    });
    expect(bytes.equals(BODY)).toBe(true);
    expect(fixture.requests).toContain('GET /model.onnx bytes=340-399');
  });

  test('less than it was asked for is asked again', async () => {
    const bytes = await fetchFrom((request, response) => {
      const [first, last] = (request.headers.range ?? '').slice('bytes='.length).split('-').map(Number);
      const start = first ?? 0;
      const end = Math.min((last ?? 0) + 1, start + 70);
      response.writeHead(206, { 'content-range': `bytes ${start}-${end - 1}/1000`, 'content-length': end - start });
      response.end(BODY.subarray(start, end));
    });
    expect(bytes.equals(BODY)).toBe(true);
  });

  test('of a file that changes midway is asked for all of the new one', async () => {
    const other = randomBytes(1000);
    const bytes = await fetchFrom((request, response) => {
      const isNew = fixture.requests.length > 4;
      sendFile(request, response, isNew ? other : BODY, isNew ? '"2"' : '"1"');
    });
    expect(bytes.equals(other)).toBe(true);
  });

  test('of a file that grows is not trusted', async () => {
    const bytes = await fetchFrom((request, response) => {
      response.removeHeader('etag');
      const body = fixture.requests.length > 4 ? Buffer.concat([BODY, BODY]) : BODY;
      sendFile(request, response, body, 'W/"weak"');
    });
    expect(bytes.byteLength).toBe(2000);
  });

  test('is asked for parts where a redirect led, and again at home when that address has expired', async () => {
    const store = await fixture.serve((request, response) => {
      if (request.url === '/signed?1' && fixture.requests.length > 5) response.writeHead(403).end();
      else sendFile(request, response, BODY);
    });
    let signatures = 0;
    const bytes = await fetchFrom((_, response) => {
      signatures += 1;
      response.writeHead(302, { location: `${store}/signed?${signatures}` }).end();
    });
    expect(bytes.equals(BODY)).toBe(true);
    expect(signatures).toBeGreaterThan(1);
    expect(signatures).toBeLessThan(10);
  });
});

test('a server that knows no parts is asked once', async () => {
  const bytes = await fetchFrom((_, response) => response.end(BODY));
  expect(bytes.equals(BODY)).toBe(true);
  expect(fixture.requests).toEqual(['GET /model.onnx bytes=0-99']);
});

test('a body in chunks is taken whole, and none that is cut', async () => {
  let attempts = 0;
  const bytes = await fetchFrom((_, response) => {
    attempts += 1;
    response.write(BODY.subarray(0, 500));
    if (attempts === 1) response.socket?.end();
    else response.end(BODY.subarray(500));
  });
  expect(bytes.equals(BODY)).toBe(true);
});

const range =
  (text: string): RequestListener =>
  (request, response) => {
    if (fixture.requests.length === 1) sendFile(request, response, BODY);
    else
      response.writeHead(206, { 'content-range': text, etag: '"1"', 'content-length': 100 }).end(BODY.subarray(0, 100));
  };

test.each<[string, RequestListener, RegExp]>([
  ['another range', range('bytes 0-99/1000'), /sent another range than bytes \d+ to \d+/],
  ['a longer range', range('bytes 100-999/1000'), /another range/],
  ['a range of nothing', range('bytes */1000'), /another range/],
  ['another size', range('bytes 100-199/900'), /another range|changed while it was fetched/],
  [
    'more than it announced',
    (_, response) => {
      response.socket?.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n123');
    },
    /more than it announced/,
  ],
  ['an empty file', (request, response) => sendFile(request, response, Buffer.alloc(0)), /it is empty/],
  ['no HTTP', (_, response) => response.socket?.end('SSH-2.0-server\r\n\r\n'), /does not speak HTTP/],
  [
    'a length and chunks',
    (_, response) => {
      response.socket?.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n');
    },
    /a length and chunks/,
  ],
  [
    'headers without end',
    (_, response) => {
      response.socket?.write(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(70_000)}`);
    },
    /headers without end/,
  ],
])('a server that sends %s is given up', async (_, listener, message) => {
  await expect(fetchFrom(listener)).rejects.toThrow(message);
});

test('a server whose parts are of a file that is too large is asked for no more of it', async () => {
  const base = await fixture.serve((request, response) => sendFile(request, response, BODY));
  const environment = { PILOTLIGHT_MODEL_CACHE_BYTES: '999' };
  await expect(fixture.open(`${base}/a`, undefined, { limits, environment })).rejects.toThrow(/larger than the 999/);
  expect(fixture.requests).toHaveLength(1);
});

/** A part in chunks, so without a length. */
function sendChunked(request: IncomingMessage, response: ServerResponse, bytes: number): void {
  const [first = 0, last = 0] = (request.headers.range ?? '').slice('bytes='.length).split('-').map(Number);
  response.writeHead(206, { 'content-range': `bytes ${first}-${last}/1000`, etag: '"1"' });
  response.flushHeaders();
  response.end(BODY.subarray(first, first + bytes));
}

test('a server that sends parts in chunks is understood', async () => {
  const bytes = await fetchFrom((request, response) => sendChunked(request, response, 100));
  expect(bytes.equals(BODY)).toBe(true);
});

test.each([
  ['nothing of its parts', 0, /sent next to nothing of a part after 0 bytes \(4 attempts\)/],
  ['a byte of each part', 1, /sent next to nothing of a part after [1-9]\d* bytes \(4 attempts\)/],
  ['more than a part', 101, /sent more than the part that it was asked for/],
])('a server that sends %s is given up', async (_, bytes, message) => {
  const listener: RequestListener = (request, response) => sendChunked(request, response, bytes);
  await expect(fetchFrom(listener)).rejects.toThrow(message);
});

test('a server that wants to be left alone for a while is', async () => {
  const pauses: number[] = [];
  class RecordingClock extends HurriedClock {
    override after(milliseconds: number, callback: () => void): Cancel {
      if (milliseconds !== 7250) return super.after(milliseconds, callback);
      pauses.push(milliseconds);
      return super.after(250, callback);
    }
  }
  const base = await fixture.serve((request, response) => {
    if (fixture.requests.length === 1) response.writeHead(429, { 'retry-after': '7' }).end();
    else sendFile(request, response, BODY);
  });
  await fixture.open(`${base}/a`, undefined, { clock: new RecordingClock() });
  expect(pauses).toEqual([7250]);
});

test('a body that ends with its connection is taken, but not for this version for ever', async () => {
  const asked: unknown[] = [];
  const base = await fixture.serve((request, response) => {
    asked.push(request.headers['if-none-match']);
    response.socket?.end(`HTTP/1.1 200 OK\r\netag: "1"\r\n\r\n${asked.length === 1 ? 'mod' : 'model'}`);
  });
  for (const text of ['mod', 'model']) {
    const { path } = await fixture.open(`${base}/a`);
    await expect(readFile(path, 'utf8')).resolves.toBe(text);
  }
  expect(asked).toEqual([undefined, undefined]);
});

test('a server without ETags is asked for what changed since the last time', async () => {
  const at = (seconds: number): string => new Date(fixture.clock.now() + 1000 * seconds).toUTCString();
  let [lastModified, text] = [at(-61), 'model'];
  const asked: unknown[] = [];
  const base = await fixture.serve((request, response) => {
    const since = request.headers['if-modified-since'];
    asked.push(since, request.headers['if-none-match']);
    response.setHeader('last-modified', lastModified);
    if (since === lastModified) response.writeHead(304).end();
    else response.writeHead(200, { 'content-length': text.length }).end(text);
  });
  const fetched = async (): Promise<string> => readFile((await fixture.open(`${base}/a`)).path, 'utf8');
  const first = lastModified;
  expect([await fetched(), await fetched()]).toEqual(['model', 'model']);
  expect(asked.splice(0)).toEqual([undefined, undefined, first, undefined]);
  // Another change within the same second would have the same time.
  [lastModified, text] = [at(-59), 'changed'];
  expect(await fetched()).toBe('changed');
  text = 'changed again';
  expect(await fetched()).toBe('changed again');
});

test('a server that trickles is given up, for what it sends is no sign of life', async () => {
  const listener: RequestListener = (_, response) => {
    response.writeHead(200, { 'content-length': 1000 });
    response.write(BODY.subarray(0, 10));
    setImmediate(() => void fixture.clock.advance(FETCH_LIMITS.idleMilliseconds));
  };
  await expect(fetchFrom(listener)).rejects.toThrow(/next to nothing, for 30 s \(4 attempts\)/);
});

test('what is on the way is bounded in time as a whole', async () => {
  const listener: RequestListener = () => void fixture.clock.advance(2000);
  const base = await fixture.serve(listener);
  const short = { ...limits, totalMilliseconds: 2000 };
  await expect(fixture.open(`${base}/a`, DIGEST, { limits: short })).rejects.toThrow(/longer than 2 s/);
});

test('a large file is hashed by its own thread, in order', async () => {
  const large = randomBytes(40 * 2 ** 20);
  const base = await fixture.serve((request, response) => sendFile(request, response, large));
  const { digest } = await fixture.open(`${base}/large.onnx`, undefined, {
    limits: { ...limits, partBytes: 3 * 2 ** 20 + 1 },
  });
  await expect(digest).resolves.toEqual({
    sha256: createHash('sha256').update(large).digest('hex'),
    sizeBytes: large.byteLength,
  });
});
