import { connect } from 'node:net';
import { afterEach, expect, jest, test } from '@jest/globals';
import { GATEWAY_DEFAULTS } from '../../gateway/configuration.ts';
import { call } from '../../gateway/testing/client.ts';
import { functionRoute, revisionRoute } from '../../gateway/testing/gateway-fixture.ts';
import { StubOperator } from '../../gateway/testing/stub-operator.ts';
import { StubRuntime } from '../../gateway/testing/stub-runtime.ts';
import { residentMebibytes } from '../server/resident-memory.ts';
import { GatewayProcess } from './gateway-process.ts';

jest.setTimeout(120_000);

/** All that a gateway takes on a port, but a few for who has a request. */
const IDLE = GATEWAY_DEFAULTS.maxConnections - 100;
/** Fewer than the kernel keeps until they are accepted. */
const AT_ONCE = 200;
/** Measured: 15,000 to 25,000. */
const MOST_BYTES_EACH = 50_000;
const REQUEST = 'GET / HTTP/1.1\r\nhost: digits.default\r\n\r\n';

const closing: (() => unknown)[] = [];
let closed = 0;
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

test('ten thousand connections without a request cost a gateway little memory, and nobody’s request', async () => {
  const runtime = await StubRuntime.start('a', ({ response }) => {
    response.writeHead(200, { 'pilotlight-pod-uid': 'a', 'content-length': '2' }).end('ok');
  });
  closing.push(() => runtime.close());
  const gateway = await GatewayProcess.start('gateway-0', 'token', () => undefined);
  closing.push(() => gateway.close());
  const operator = new StubOperator(gateway.ports.control, 'token');
  closing.push(() => operator.cut());
  operator.routes(1, [functionRoute({ revisions: [revisionRoute([runtime.route()])] })]);
  const send = (): Promise<{ status: number }> => call(gateway.ports.http);
  expect((await send()).status).toBe(200);
  const before = residentBytes(gateway.pid);
  for (let open = 0; open < IDLE; open += AT_ONCE) {
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, IDLE - open) }, () => idle(gateway.ports.http)));
    expect((await send()).status).toBe(200);
  }
  expect((residentBytes(gateway.pid) - before) / IDLE).toBeLessThan(MOST_BYTES_EACH);
  expect(closed).toBe(0);
  const statuses = await Promise.all(Array.from({ length: 50 }, send));
  expect(statuses.map(({ status }) => status)).toEqual(Array(50).fill(200));
});

/** Of a client that has its answer and says nothing more. */
async function idle(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  closing.push(() => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.once('close', () => {
      closed += 1;
      reject(new Error('The gateway closed a connection.'));
    });
    socket.once('data', () => resolve());
    socket.write(REQUEST);
  });
}

function residentBytes(pid: number | undefined): number {
  return residentMebibytes(String(pid)) * 2 ** 20;
}
