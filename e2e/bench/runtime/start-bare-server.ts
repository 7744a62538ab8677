/** Starts the bare server that stands beside the runtime: it takes the same request and answers with the same bytes, having run the model or not. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RUNTIME_ALLOCATOR } from '../../../common/wire/runtime-environment.ts';
import { MeasuredProcess } from '../../server/measured-process.ts';
import type { Server } from '../../server/start-runtime.ts';
import type { HttpRequest } from '../http-load.ts';
import type { BareSession } from './bare-session.ts';
import type { Bench } from './bench.ts';

/** What every answer of Node has by itself. */
const ADDED_BY_NODE = ['connection', 'content-length', 'date', 'keep-alive'];

/** Asks the runtime once, for what to answer. */
export async function startBareServer(
  bench: Bench,
  runtime: Server,
  request: HttpRequest,
  session?: BareSession,
): Promise<Server> {
  const { path, headers } = request;
  const url = `http://127.0.0.1:${runtime.port}${path}`;
  const answer = await fetch(url, { method: 'POST', headers, body: new Uint8Array(request.body) });
  if (!answer.ok) throw new Error(`The runtime answered ${answer.status} ${await answer.text()}`);
  const file = join(bench.directory, 'answer');
  writeFileSync(file, await answer.bytes());
  const own = [...answer.headers].filter(([name]) => !ADDED_BY_NODE.includes(name)).flat();
  const program = join(import.meta.dirname, 'bare-server.ts');
  const args = [program, file, JSON.stringify(own), ...(session === undefined ? [] : [JSON.stringify(session)])];
  const started = new MeasuredProcess(process.execPath, args, {
    core: bench.core,
    environment: { NODE_ENV: 'production', ...RUNTIME_ALLOCATOR },
  });
  bench.own(started);
  const [port] = (await once(started.child.stdout, 'data')) as [Buffer];
  return { process: started, port: Number(port.toString()) };
}
