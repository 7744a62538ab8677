/** The control port: operators' streams and pods' announcements, each with its own token. */
import { createServer, type Server } from 'node:http';
import { ANNOUNCEMENTS_PATH } from '../../common/wire/announcement.ts';
import { STREAM_PATH } from '../../common/wire/stream.ts';
import { sameSecret } from '../../common/wire/tokens.ts';
import { serveAnnouncement, type AnnouncementEndpointParts } from './announcement-endpoint.ts';
import { bearerToken } from './bearer-token.ts';
import { OperatorStream, type OperatorStreamParts } from './operator-stream.ts';

const HEADERS_MILLISECONDS = 10_000;
const MOST_CONNECTIONS = 2_000;

export interface ControlServerParts {
  readonly controlToken: string;
  readonly announcements: AnnouncementEndpointParts;
  readonly streams: OperatorStreamParts;
}

export interface ControlServer {
  readonly server: Server;
  /** Tells all operators but one which epoch is the highest. */
  greetAllBut(stream: number): void;
  endStreams(): void;
}

export function createControlServer({ controlToken, announcements, streams }: ControlServerParts): ControlServer {
  // Streams have no end in time.
  const server = createServer({ headersTimeout: HEADERS_MILLISECONDS, requestTimeout: 0 });
  server.maxConnections = MOST_CONNECTIONS;
  const open = new Map<number, OperatorStream>();
  let lastStream = 0;
  server.on('request', (request, response) => {
    const path = request.url?.split('?', 1)[0] ?? '';
    if (path !== STREAM_PATH && path !== ANNOUNCEMENTS_PATH) {
      response.writeHead(404).end(`There is POST ${STREAM_PATH} and POST ${ANNOUNCEMENTS_PATH} here.\n`);
    } else if (request.method !== 'POST') {
      response.writeHead(405, { allow: 'POST' }).end();
    } else if (path === ANNOUNCEMENTS_PATH) {
      serveAnnouncement(announcements, request, response);
    } else if (!sameSecret(bearerToken(request) ?? '', controlToken)) {
      streams.logger.warn({ from: request.socket.remoteAddress }, 'Refused a stream without the control token');
      response
        .writeHead(401, { connection: 'close' })
        .end('Send the control token as `authorization: Bearer <token>`.\n');
    } else {
      lastStream += 1;
      const number = lastStream;
      const stream = new OperatorStream(streams, number, request, response, () => {
        open.delete(number);
      });
      open.set(number, stream);
    }
  });
  return {
    server,
    greetAllBut: (number) => {
      for (const [other, stream] of open) if (other !== number) stream.greet();
    },
    endStreams: () => {
      for (const stream of open.values()) stream.end();
    },
  };
}
