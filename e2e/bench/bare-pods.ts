/** So many pods, each a server of its own that answers with its uid and nothing else. Prints their ports. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { RESPONSE_HEADERS } from '../../common/wire/headers.ts';

const count = Number(process.argv[2]);
const ports = await Promise.all(Array.from({ length: count }, (_, at) => listen(`uid-${at}`)));
console.log(JSON.stringify(ports));

function listen(uid: string): Promise<number> {
  const fields = [RESPONSE_HEADERS.podUid, uid, 'content-length', String(uid.length)];
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.writeHead(200, fields).end(uid));
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}
