/** The control port: operators' streams, other gateways' claims and pods' announcements, each with its own token. */
import { createServer, type Server } from 'node:http';
import { ANNOUNCEMENTS_PATH } from '../../common/wire/announcement.ts';
import { STREAM_PATH } from '../../common/wire/stream.ts';
import { CLAIMS_PATH } from '../claims/claim-messages.ts';
import { ClaimStream, type ClaimStreamParts } from '../claims/claim-stream.ts';
import { sameSecret } from '../../common/wire/tokens.ts';
import type { ClaimLoad } from '../metrics/load-gauges.ts';
import { serveAnnouncement, type AnnouncementEndpointParts } from './announcement-endpoint.ts';
import { bearerToken } from './bearer-token.ts';
import { OperatorStream, type OperatorStreamParts } from './operator-stream.ts';

const HEADERS_MILLISECONDS = 10_000;
const MOST_CONNECTIONS = 2_000;

export interface ControlServerParts {
  readonly controlToken: string;
  readonly announcements: AnnouncementEndpointParts;
  readonly streams: OperatorStreamParts;
  readonly claims: ClaimStreamParts;
}

export interface ControlServer {
  readonly server: Server;
  readonly claims: ClaimLoad;
  /** Tells all operators but one which epoch is the highest. */
  greetAllBut(stream: number): void;
  endStreams(): void;
  /** Other gateways' requests wait here no more, and no new ones of theirs. */
  endClaims(): void;
}

const PATHS: readonly string[] = [STREAM_PATH, ANNOUNCEMENTS_PATH, CLAIMS_PATH];

export function createControlServer({
  controlToken,
  announcements,
  streams,
  claims,
}: ControlServerParts): ControlServer {
  // Streams have no end in time.
  const server = createServer({ headersTimeout: HEADERS_MILLISECONDS, requestTimeout: 0 });
  server.maxConnections = MOST_CONNECTIONS;
  const open = new Map<number, OperatorStream>();
  const claimants = new Set<ClaimStream>();
  let servesClaims = true;
  let lastStream = 0;
  server.on('request', (request, response) => {
    const path = request.url?.split('?', 1)[0] ?? '';
    if (!PATHS.includes(path)) {
      response.writeHead(404).end(`There is ${PATHS.map((one) => `POST ${one}`).join(', ')} here.\n`);
    } else if (request.method !== 'POST') {
      response.writeHead(405, { allow: 'POST' }).end();
    } else if (path === ANNOUNCEMENTS_PATH) {
      serveAnnouncement(announcements, request, response);
    } else if (!sameSecret(bearerToken(request) ?? '', controlToken)) {
      streams.logger.warn({ from: request.socket.remoteAddress }, 'Refused a stream without the control token');
      response
        .writeHead(401, { connection: 'close' })
        .end('Send the control token as `authorization: Bearer <token>`.\n');
    } else if (path === CLAIMS_PATH && !servesClaims) {
      response.writeHead(503, { connection: 'close' }).end('This gateway is ending.\n');
    } else if (path === CLAIMS_PATH) {
      const stream: ClaimStream = new ClaimStream(claims, request, response, () => claimants.delete(stream));
      claimants.add(stream);
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
    get claims() {
      let [waiting, granted] = [0, 0];
      for (const { load } of claimants) {
        waiting += load.waiting;
        granted += load.granted;
      }
      return { waiting, granted };
    },
    greetAllBut: (number) => {
      for (const [other, stream] of open) if (other !== number) stream.greet();
    },
    endStreams: () => {
      for (const stream of open.values()) stream.end();
    },
    endClaims: () => {
      servesClaims = false;
      for (const stream of claimants) stream.end();
    },
  };
}
