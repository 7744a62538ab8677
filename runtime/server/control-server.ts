/** The runtime's control port: the operator asks the pod here whether it may be removed. Only who holds the pod's drain token is heard. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { DRAIN_PATH } from '../../common/wire/runtime-environment.ts';
import { sameSecret } from '../../common/wire/tokens.ts';
import type { Gate } from '../admission/gate.ts';
import { closeServer, listen } from './listen.ts';

export interface ControlServerOptions {
  readonly gate: Gate;
  readonly drainToken: string;
  readonly port: number;
  readonly host?: string | undefined;
}

export interface ControlServer {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * `POST /v1/drain` stops admission and answers 200 `{"draining":true,"inFlight":n}`; with `?ifIdle` it answers 409 `{"error":"busy",…}` instead, and
 * changes nothing, when a request is in the pod. It lapses after 10 s; asking again begins them anew.
 */
export async function startControlServer({
  gate,
  drainToken,
  port,
  host,
}: ControlServerOptions): Promise<ControlServer> {
  const server = createServer((request, response) => {
    request.resume();
    const [path, query] = (request.url ?? '').split('?', 2);
    if (path !== DRAIN_PATH) return answer(response, 404, { error: `There is only ${DRAIN_PATH} here.` });
    if (request.method !== 'POST') return answer(response, 405, { error: 'Only POST is answered here.' });
    if (!carriesToken(request, drainToken))
      return answer(response, 401, { error: "This is not the pod's drain token." });
    const ifIdle = new URLSearchParams(query).has('ifIdle');
    if (gate.drain({ ifIdle })) return answer(response, 200, { draining: true, inFlight: gate.inFlight });
    answer(response, 409, { error: 'busy', inFlight: gate.inFlight });
  });
  const taken = await listen(server, port, host);
  return { port: taken, close: () => closeServer(server) };
}

function carriesToken({ headers }: IncomingMessage, token: string): boolean {
  const [scheme, given] = (headers.authorization ?? '').split(' ', 2);
  return scheme === 'Bearer' && given !== undefined && sameSecret(given, token);
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' }).end(`${JSON.stringify(body)}\n`);
}
