/** The client in the cluster: it does what a test says, by JSON lines on a port of its own pod. What it counts outlives the connection to the test. */
import { createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { Load } from './load.ts';
import { ModelServer } from './model-server.ts';
import type { Command, CommandLine, ReplyLine } from './protocol.ts';
import { OpenRequest, send } from './send.ts';

const loads = new Map<string, Load>();
const openRequests = new Map<string, OpenRequest>();
const models = new ModelServer();
await models.listen(Number(process.argv[3]));

const server = createServer((socket) => {
  socket.on('error', () => socket.destroy());
  createInterface(socket).on('line', (line) => void reply(socket, JSON.parse(line) as CommandLine));
});
server.listen(Number(process.argv[2]), '127.0.0.1');

async function reply(socket: Socket, command: CommandLine): Promise<void> {
  const { id } = command;
  const answer: ReplyLine = await carryOut(command).then(
    (result) => ({ id, result: result ?? null }),
    (error: unknown) => ({ id, error: String(error) }),
  );
  if (!socket.destroyed) socket.write(`${JSON.stringify(answer)}\n`);
}

/** All but `send` may be said again, to an agent that has done it already. */
async function carryOut(command: Command): Promise<unknown> {
  switch (command.command) {
    case 'serveModel':
      return models.serve(command.path, command.model);
    case 'send':
      return send(command.request);
    case 'open':
      if (!openRequests.has(command.name)) openRequests.set(command.name, new OpenRequest(command.request));
      return undefined;
    case 'finish':
      return known(openRequests, command.name).finish();
    case 'abort':
      return known(openRequests, command.name).abort();
    case 'startLoad':
      if (!loads.has(command.name)) loads.set(command.name, new Load(command.load));
      return undefined;
    case 'awaitLoad':
      return known(loads, command.name).until(command.condition);
    case 'reportLoad':
      return known(loads, command.name).report();
    case 'stopLoad':
      return known(loads, command.name).stop();
  }
}

function known<T>(map: ReadonlyMap<string, T>, name: string): T {
  const found = map.get(name);
  if (found === undefined) throw new Error(`The client in the cluster knows no ${name}: was its pod replaced?`);
  return found;
}
