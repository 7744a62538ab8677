import type { IncomingMessage } from 'node:http';

/** Of `authorization: Bearer <token>`; undefined if there is none. */
export function bearerToken(request: IncomingMessage): string | undefined {
  return /^Bearer (\S{1,1024})$/i.exec(request.headers.authorization ?? '')?.[1];
}
