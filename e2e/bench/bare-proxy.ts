/** The cheapest gateway that Node's HTTP server and undici allow: no routes, no queue, no measurement. Takes the pod's port, prints its own. */
import { createServer } from 'node:http';
import { Pool } from 'undici';

const [podPort = ''] = process.argv.slice(2);
const pool = new Pool(`http://127.0.0.1:${podPort}`, { pipelining: 1, headersTimeout: 0, bodyTimeout: 0 });

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const { method = 'GET', url: path = '/' } = request;
    pool.dispatch(
      { method, path, headers: ['content-type', 'application/octet-stream'], body: Buffer.concat(chunks) },
      {
        onRequestStart: () => undefined,
        onResponseStart: (_controller, status, headers) => {
          response.writeHead(status, ['content-length', headers['content-length'] ?? '0']);
        },
        onResponseData: (_controller, chunk) => {
          response.write(chunk);
        },
        onResponseEnd: () => {
          response.end();
        },
        onResponseError: () => {
          response.destroy();
        },
      },
    );
  });
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The proxy must listen on a TCP port.');
  console.log(address.port);
});
