/** How many requests the client itself can send, to a server that does not even read them: twice what a server here is asked, or it would be measured. */
import { once } from 'node:events';
import { closedLoop } from '../http-load.ts';
import type { Bench } from './bench.ts';
import { measureClosed } from './measurement.ts';
import { MeasuredProcess } from '../../server/measured-process.ts';
import { makeRequest } from './requests.ts';
import { startRuntime } from '../../server/start-runtime.ts';

const MILLISECONDS = 2000;
const CONNECTIONS = 64;
const GOAL = 2;

/** A small request is one chunk, so each chunk gets an answer. */
const DEAF_SERVER = `
  const answer = Buffer.from('HTTP/1.1 200 OK\\r\\ncontent-type: application/octet-stream\\r\\ncontent-length: 300\\r\\n\\r\\n' + '0'.repeat(300));
  require('node:net').createServer({ noDelay: true }, (socket) => {
    socket.on('data', () => socket.write(answer)).on('error', () => {});
  }).listen(0, '127.0.0.1', function () { console.log(this.address().port); });`;

export async function measureClient(bench: Bench): Promise<void> {
  const deaf = new MeasuredProcess(process.execPath, ['-e', DEAF_SERVER], { core: bench.core });
  bench.own(deaf);
  const [port] = (await once(deaf.child.stdout, 'data')) as [Buffer];
  const model = bench.models.digits;
  const request = makeRequest(model, 'binary');
  const load = { ...request, port: Number(port.toString()), connections: CONNECTIONS, milliseconds: MILLISECONDS };
  await closedLoop(load);
  const { requests, seconds } = await closedLoop(load);
  const runtime = await startRuntime(bench, model);
  await measureClosed(runtime, request, CONNECTIONS, MILLISECONDS);
  const { rate } = await measureClosed(runtime, request, CONNECTIONS, MILLISECONDS);
  await bench.endAll();
  bench.say(
    `The client alone: ${(requests / seconds).toFixed(0)} requests/s from a server that does not read; the runtime's most is ${rate.toFixed(0)}.`,
  );
  bench.goal({
    what: 'what the client can ask / what the runtime can answer',
    reached: requests / seconds / rate,
    atLeast: GOAL,
  });
}
