/** The cheapest pod there can be: answers every request with the same few bytes. Prints its port. */
import { createServer } from 'node:http';
import { RESPONSE_HEADERS } from '../../common/wire/headers.ts';

const BODY = Buffer.alloc(128, '0');
const [uid = ''] = process.argv.slice(2);

const server = createServer((request, response) => {
  request.resume();
  request.on('end', () => {
    response.writeHead(200, [
      RESPONSE_HEADERS.podUid,
      uid,
      'content-type',
      'application/octet-stream',
      'content-length',
      String(BODY.length),
    ]);
    response.end(BODY);
  });
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The runtime must listen on a TCP port.');
  console.log(address.port);
});
