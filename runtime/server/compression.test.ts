/** Compressed bodies both ways, and what strangers can do with them. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { deflateSync, gunzipSync, gzipSync, inflateSync } from 'node:zlib';
import { afterEach, describe, expect, test } from '@jest/globals';
import { closeTestRuntimes, INFER, POD, testRuntime } from '../runtime.fixture.ts';

afterEach(closeTestRuntimes);

const LIMIT = 100_000;

function row(count: number): string {
  const data = Array.from({ length: 2 * count }, (_, index) => index % 7);
  return JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape: [count, 2], data }] });
}

describe('a request', () => {
  test.each<[coding: string, compress: (data: string) => Buffer]>([
    ['gzip', gzipSync],
    ['x-gzip', gzipSync],
    ['deflate', deflateSync],
    ['GZIP', gzipSync],
    ['Identity', Buffer.from],
  ])('may be compressed with %s', async (coding, compress) => {
    const { infer } = await testRuntime();
    const { status, json } = await infer({ body: compress(row(1)), headers: { 'content-encoding': coding } });
    expect(status).toBe(200);
    expect(json['outputs']).toMatchObject([{ data: [0, 1] }]);
  });

  test('may be compressed and binary; its JSON is measured as it was before', async () => {
    const { infer } = await testRuntime();
    const json = '{"inputs":[{"name":"x","datatype":"FP32","shape":[1,2],"parameters":{"binary_data_size":8}}]}';
    const body = gzipSync(Buffer.concat([Buffer.from(json), Buffer.alloc(8)]));
    const headers = { 'content-encoding': 'gzip', 'inference-header-content-length': json.length };
    expect((await infer({ body, headers })).status).toBe(200);
  });

  test.each<[about: string, body: Buffer, status: number, says: string]>([
    ['is cut short', gzipSync(row(100)).subarray(0, -9), 400, 'not valid gzip'],
    ['is broken', Buffer.from(gzipSync(row(100)).fill(0xff, 20, 30)), 400, 'not valid gzip'],
    ['inflates to more than is taken', gzipSync(Buffer.alloc(LIMIT + 1)), 413, 'larger than the 100000 bytes'],
    ['is a bomb', gzipSync(Buffer.alloc(50 * 1024 * 1024)), 413, 'larger than the 100000 bytes'],
    ['is nothing at all', Buffer.alloc(0), 400, 'not valid gzip'],
  ])('that %s is refused, and its place is free again', async (_about, body, status, says) => {
    const { infer, metrics } = await testRuntime({ maxBodyBytes: LIMIT });
    const answer = await infer({ body, headers: { 'content-encoding': 'gzip' } });
    expect([answer.status, answer.headers['pilotlight-pod-uid']]).toEqual([status, POD.uid]);
    expect(answer.json['error']).toContain(says);
    expect((await infer({ body: gzipSync(row(1)), headers: { 'content-encoding': 'gzip' } })).status).toBe(200);
    expect(await metrics()).toMatch(/requests_in_flight\S* 0/);
  });

  test('of gzip that never ends is cut at the limit of a body', async () => {
    const { runtime } = await testRuntime({ maxBodyBytes: LIMIT });
    const socket = connect(runtime.ports.http, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(`POST ${INFER} HTTP/1.1\r\nhost: x\r\ncontent-encoding: gzip\r\ntransfer-encoding: chunked\r\n\r\n`);
    // Empty members: nothing ever comes out of them.
    const empty = Buffer.concat(Array.from({ length: 1000 }, () => gzipSync('')));
    const answered = once(socket, 'data') as Promise<[Buffer]>;
    for (let sent = 0; sent <= LIMIT; sent += empty.length) {
      socket.write(`${empty.length.toString(16)}\r\n`);
      socket.write(empty);
      socket.write('\r\n');
    }
    expect((await answered).toString()).toMatch(/^HTTP\/1.1 413 /);
    socket.destroy();
  });

  test('takes the pod’s room by what comes out of it, and is refused when there is none left', async () => {
    const { infer, model, metrics } = await testRuntime({ maxBodyBytes: LIMIT });
    model.hold();
    const large = `${row(1)}${' '.repeat(LIMIT - 100)}`;
    const held = Array.from({ length: 4 }, () =>
      infer({ body: gzipSync(large), headers: { 'content-encoding': 'gzip' } }),
    );
    while (model.load.running + model.load.waiting < 4) await new Promise((resolve) => setImmediate(resolve));
    for (const headers of [{ 'content-encoding': 'gzip' }, { 'transfer-encoding': 'chunked' }]) {
      const body = 'content-encoding' in headers ? gzipSync(large) : large;
      const refused = await infer({ body, headers });
      expect([refused.status, refused.headers['pilotlight-not-admitted']]).toEqual([429, 'LimitReached']);
    }
    model.release();
    for (const { status } of await Promise.all(held)) expect(status).toBe(200);
    expect((await infer({ body: gzipSync(large), headers: { 'content-encoding': 'gzip' } })).status).toBe(200);
    expect(await metrics()).toMatch(/nv_inference_request_failure\{.*reason="REJECTED"\} 2/);
  });
});

describe('an answer', () => {
  const large = { body: row(8_000) };

  test.each([
    ['gzip', gunzipSync],
    ['deflate', inflateSync],
  ])('is compressed with %s for who takes it', async (coding, inflate) => {
    const { infer } = await testRuntime({ maxBodyBytes: LIMIT });
    const plain = await infer(large);
    expect(plain.json['error']).toBeUndefined();
    expect(plain.headers).not.toHaveProperty('content-encoding');
    const { headers, body } = await infer({ ...large, headers: { 'accept-encoding': coding } });
    expect(headers['content-encoding']).toBe(coding);
    expect(Number(headers['content-length'])).toBe(body.length);
    expect(body.length).toBeLessThan(plain.body.length / 4);
    expect(JSON.parse(inflate(body).toString())).toEqual(plain.json);
  });

  test('that is small goes as it is', async () => {
    const { infer } = await testRuntime();
    const { headers } = await infer({ headers: { 'accept-encoding': 'gzip' } });
    expect(headers).not.toHaveProperty('content-encoding');
  });

  test.each<[about: string, elements: () => number, coding: string | undefined]>([
    ['that do not compress go as they are', () => Math.random(), undefined],
    ['that compress are compressed', () => 1, 'gzip'],
  ])('of binary tensors %s', async (_about, element, coding) => {
    const { infer } = await testRuntime({ maxBodyBytes: LIMIT });
    const tensor = Buffer.from(Float32Array.from({ length: 20_000 }, element).buffer);
    const headers = { 'inference-header-content-length': 0, 'accept-encoding': 'gzip' };
    const answer = await infer({ body: tensor, headers });
    expect(answer.headers['content-encoding']).toBe(coding);
    const bytes = coding === undefined ? answer.body : gunzipSync(answer.body);
    expect(bytes.subarray(Number(answer.headers['inference-header-content-length']))).toEqual(tensor);
  });
});
