import { Socket } from 'node:net';
import { expect, test } from '@jest/globals';
import { ManualClock } from '../../common/platform/manual-clock.ts';
import { answerBrokenHttp } from './broken-http.ts';

test('a client that reads its answer and does not close is closed', async () => {
  const clock = new ManualClock();
  const socket = new Socket();
  let answer = '';
  socket._write = (chunk: Buffer, _encoding, done) => {
    answer += chunk.toString();
    done();
  };
  socket._final = (done) => done();
  answerBrokenHttp(new Error('no HTTP'), socket, ['x-pod', 'a'], clock);
  answerBrokenHttp(new Error('more of that'), socket, ['x-pod', 'a'], clock);
  await clock.advance(999);
  expect({ answer: answer.slice(0, 50), destroyed: socket.destroyed }).toEqual({
    answer: 'HTTP/1.1 400 Bad Request\r\nx-pod: a\r\ncontent-type: a'.slice(0, 50),
    destroyed: false,
  });
  await clock.advance(1);
  expect(socket.destroyed).toBe(true);
  expect(clock.pending).toBe(0);
});
