/** A client that costs little: keep-alive connections on which the same request is written again as soon as its answer is complete. */
import { connect, type Socket } from 'node:net';

export interface LoadOptions {
  readonly port: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly connections: number;
  readonly milliseconds: number;
}

export interface LoadResult {
  readonly requests: number;
  readonly seconds: number;
}

/** Rejects if an answer is not 200. Answers must carry a content-length. */
export async function httpLoad(options: LoadOptions): Promise<LoadResult> {
  const { path, headers, body } = options;
  const lines = Object.entries({ host: 'localhost', ...headers, 'content-length': String(body.length) });
  const head = `POST ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
  const request = Buffer.concat([Buffer.from(head), body]);
  const start = performance.now();
  const end = start + options.milliseconds;
  const counts = await Promise.all(
    Array.from({ length: options.connections }, () => drive(connect(options.port, '127.0.0.1'), request, end)),
  );
  return { requests: counts.reduce((sum, count) => sum + count, 0), seconds: (performance.now() - start) / 1000 };
}

/** Resolves to the number of answers. */
function drive(socket: Socket, request: Buffer, end: number): Promise<number> {
  socket.setNoDelay(true);
  let answers = 0;
  let missing = 0;
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('data', (chunk: Buffer) => {
      // The client asks one thing at a time, so a chunk either begins an answer or goes on with one.
      if (missing === 0) {
        const text = chunk.toString('latin1');
        const length = /^HTTP\/1\.1 200 [^]*?\r\ncontent-length: (\d+)\r\n[^]*?\r\n\r\n/i.exec(text);
        if (length === null) {
          reject(new Error(`The server answered ${text.slice(0, 300)}`));
          return;
        }
        missing = length[0].length + Number(length[1]);
      }
      missing -= chunk.length;
      if (missing > 0) return;
      answers++;
      if (performance.now() < end) {
        socket.write(request);
        return;
      }
      socket.destroy();
      resolve(answers);
    });
    socket.write(request);
  });
}
