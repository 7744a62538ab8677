/**
 * The cheapest gateway that Node's HTTP server and undici allow: no routes, no queue, no measurement. Takes the pod's origin, and
 * where to listen; prints its port.
 */
import { createServer } from 'node:http';
import { Pool } from 'undici';

const [pod = '', host = '127.0.0.1', port = '0'] = process.argv.slice(2);
const pool = new Pool(pod, { pipelining: 1, headersTimeout: 0, bodyTimeout: 0 });

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const { method = 'GET', url: path = '/', rawHeaders: headers } = request;
    pool.dispatch(
      { method, path, headers, body: Buffer.concat(chunks) },
      {
        onRequestStart: () => undefined,
        onResponseStart: (_controller, status, { 'content-length': length = '0' }) => {
          response.writeHead(status, ['content-length', length]);
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
server.listen(Number(port), host, () => {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The proxy must listen on a TCP port.');
  console.log(address.port);
});
