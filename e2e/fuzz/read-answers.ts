/** Takes HTTP answers off a connection. It knows what a server may send, and throws on anything else. */
export interface Answer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
  /** The server closes the connection after it. */
  readonly last: boolean;
}

export class AnswerReader {
  #bytes: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): void {
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
  }

  /** Bytes of an answer that is not whole yet. */
  get rest(): number {
    return this.#bytes.length;
  }

  /** The next answer that is whole, but for those that only announce it (1xx). */
  next(method: string | undefined): Answer | undefined {
    for (;;) {
      const end = this.#bytes.indexOf('\r\n\r\n');
      if (end < 0) return undefined;
      const [statusLine = '', ...lines] = this.#bytes.toString('latin1', 0, end).split('\r\n');
      const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(statusLine)?.[1]);
      if (Number.isNaN(status)) throw new Error(`An answer begins with ${JSON.stringify(statusLine.slice(0, 100))}.`);
      if (status < 200) {
        this.#bytes = this.#bytes.subarray(end + 4);
        continue;
      }
      const headers = new Map(lines.map((line) => splitHeader(line)));
      const length = Number(headers.get('content-length'));
      if (!(length >= 0)) throw new Error(`An answer of ${status} has no content-length.`);
      const bodyLength = method === 'HEAD' ? 0 : length;
      const whole = end + 4 + bodyLength;
      if (this.#bytes.length < whole) return undefined;
      const body = this.#bytes.subarray(end + 4, whole);
      this.#bytes = this.#bytes.subarray(whole);
      return { status, headers, body, last: headers.get('connection') === 'close' };
    }
  }
}

function splitHeader(line: string): [string, string] {
  const colon = line.indexOf(':');
  return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
}
