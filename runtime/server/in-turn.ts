/**
 * Requests of one connection one after the other, though a client may send several before the first is answered. Node begins them all at once, and tells
 * nobody when the client of an answer that is not next leaves: such a request would keep its place in the pod for ever.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

type Listener = (request: IncomingMessage, response: ServerResponse) => void;

/** Requests that may wait behind the one that is answered. Each takes 4 KB for as little as 20 bytes on the wire; one more breaks the connection. */
const MOST_AHEAD = 64;

export function inTurn(listener: Listener): Listener {
  const waiting = new WeakMap<Socket, number>();
  const change = (socket: Socket, by: number): number => {
    const count = (waiting.get(socket) ?? 0) + by;
    waiting.set(socket, count);
    return count;
  };
  return (request, response) => {
    // A response gets its socket when it is the next to be written.
    if (response.socket !== null) return listener(request, response);
    const { socket } = request;
    if (change(socket, 1) > MOST_AHEAD) socket.destroy();
    response.once('socket', () => {
      change(socket, -1);
      if (!socket.destroyed) listener(request, response);
    });
  };
}
