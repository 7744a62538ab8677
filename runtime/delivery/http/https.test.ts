import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { DeliveryFixture, sendFile } from '../delivery-fixture.ts';
import { FETCH_LIMITS } from '../fetch-limits.ts';

/** Of "localhost" and 127.0.0.1, signed by itself, until 2126. */
const FIXTURES = join(import.meta.dirname, '..', 'fixtures');
const certificate = readFileSync(join(FIXTURES, 'localhost.crt'), 'utf8');
const BODY = randomBytes(5_000_000);

let fixture: DeliveryFixture;
let server: Server;
let base: string;

beforeEach(async () => {
  fixture = new DeliveryFixture();
  const plain = await fixture.serve((request, response) => sendFile(request, response, BODY));
  const key = readFileSync(join(FIXTURES, 'localhost.key'));
  server = createServer({ cert: certificate, key }, (request, response) => {
    if (request.url === '/plain') response.writeHead(302, { location: `${plain}/model.onnx` }).end();
    else sendFile(request, response, BODY);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  base = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
  fixture.close();
});

const trusting = {
  environment: { PILOTLIGHT_MODEL_CA: certificate },
  limits: { ...FETCH_LIMITS, partBytes: 1_000_000 },
};

test.each(['localhost', '127.0.0.1'])('a server of an authority in ca.crt is trusted, as %s', async (host) => {
  const { path } = await fixture.open(`https://${base.replace('127.0.0.1', host)}/model.onnx`, undefined, trusting);
  expect((await readFile(path)).equals(BODY)).toBe(true);
});

test('any other is not, and that says what to do', async () => {
  await expect(fixture.open(`https://${base}/model.onnx`)).rejects.toMatchObject({
    reason: 'ModelFetchFailed',
    message: expect.stringMatching(/authority that is not trusted; put that into the key ca.crt of the Secret\.$/),
  });
});

test('nor is one of another name', async () => {
  const uri = `https://${base.replace('127.0.0.1', '127.0.0.2')}/model.onnx`;
  server.close();
  const other = createServer({ cert: certificate, key: readFileSync(join(FIXTURES, 'localhost.key')) });
  other.listen(0, '127.0.0.2');
  await once(other, 'listening');
  const port = (other.address() as AddressInfo).port;
  await expect(fixture.open(uri.replace(/:\d+\//, `:${port}/`), undefined, trusting)).rejects.toThrow(/name/i);
  other.close();
});

test('it never leads from https to http', async () => {
  await expect(fixture.open(`https://${base}/plain`, undefined, trusting)).rejects.toThrow(/not https/);
});

test('what is no certificate in ca.crt is said to be none', async () => {
  const environment = { PILOTLIGHT_MODEL_CA: 'my certificate' };
  await expect(fixture.open(`https://${base}/model.onnx`, undefined, { environment })).rejects.toMatchObject({
    reason: 'ConfigurationInvalid',
    message: expect.stringMatching(/ca\.crt of the Secret .* holds no certificate in PEM/),
  });
});

test('a server that speaks no TLS is said to speak none, without OpenSSL’s words', async () => {
  const plain = await fixture.serve((_, response) => response.end());
  await expect(fixture.open(`${plain.replace('http:', 'https:')}/model.onnx`)).rejects.toThrow(
    /could not be fetched: it does not speak TLS, or no version of it that is spoken here \(4 attempts\)/,
  );
});
