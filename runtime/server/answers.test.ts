import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { expect, test } from '@jest/globals';
import { Gate } from '../admission/gate.ts';
import { ManualClock } from '../../common/platform/manual-clock.ts';
import { Answers } from './answers.ts';

const answers = new Answers(new Gate({ clock: new ManualClock(), uid: 'uid-1', maxBodyBytes: 1 }), 'digits-00001');
/** More than sockets of both sides hold, so that it is not written at once. */
const LENGTH = 32 * 1024 * 1024;

test('the memory of a large answer is given back once it is written whole, and not before', async () => {
  const body = Buffer.allocUnsafeSlow(LENGTH);
  for (let offset = 0; offset < LENGTH; offset += 4) body.writeUInt32LE(offset, offset);
  const expected = Buffer.from(body);
  let finished: Promise<unknown> | undefined;
  const server = createServer((_request, response) => {
    finished = once(response, 'finish');
    answers.send(response, 200, ['connection', 'close'], body);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  await once(socket, 'readable');
  expect(body.byteLength).toBe(LENGTH);
  const received = await buffer(socket);
  expect(received.subarray(received.indexOf('\r\n\r\n') + 4).equals(expected)).toBe(true);
  await finished;
  expect(body.byteLength).toBe(0);
  server.close();
});
