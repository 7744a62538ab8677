/** Test-only: the gateway's side of the stream, on a free port of this machine, told step by step what to say. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { encodeLine, NdjsonDecoder } from '../../common/wire/ndjson.ts';
import type { GatewayMessage, OperatorMessage } from '../../common/wire/stream.ts';
import type { GatewayAddress } from './gateway-stream.ts';

/** One stream that an operator opened. */
export class TestStream {
  readonly received: OperatorMessage[] = [];
  readonly request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly closed: Promise<unknown>;
  #wake: () => void = () => undefined;

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.request = request;
    this.#response = response;
    this.closed = once(response, 'close');
    response.writeHead(200).flushHeaders();
    const decoder = new NdjsonDecoder(64 * 1024 * 1024);
    request.on('error', () => undefined);
    request.on('data', (chunk: Uint8Array) => {
      decoder.push(chunk, (message) => this.received.push(message as OperatorMessage));
      this.#wake();
    });
  }

  send(...messages: GatewayMessage[]): this {
    for (const message of messages) this.#response.write(encodeLine(message));
    return this;
  }

  sendBytes(bytes: Uint8Array | string): this {
    this.#response.write(bytes);
    return this;
  }

  hello(highestEpoch = 0, bootId = 'boot'): this {
    return this.send({ type: 'hello', gateway: 'gateway', bootId, highestEpoch });
  }

  /** Resolves once what was received satisfies the condition. */
  async until(satisfied: (received: readonly OperatorMessage[]) => boolean): Promise<readonly OperatorMessage[]> {
    while (!satisfied(this.received)) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.received;
  }

  cut(): void {
    this.#response.destroy();
  }
}

export class TestGateway {
  readonly #server: Server;
  /** Answers instead of taking a stream, while it is set. */
  refuseWith: number | undefined;
  readonly requests: IncomingMessage[] = [];
  readonly #streams: TestStream[] = [];
  #wake: () => void = () => undefined;

  private constructor() {
    this.#server = createServer({ requestTimeout: 0 }, (request, response) => {
      this.requests.push(request);
      if (this.refuseWith === undefined) this.#streams.push(new TestStream(request, response));
      else response.writeHead(this.refuseWith).end('refused\n');
      this.#wake();
    });
  }

  static async start(): Promise<TestGateway> {
    const gateway = new TestGateway();
    gateway.#server.listen(0, '127.0.0.1');
    await once(gateway.#server, 'listening');
    return gateway;
  }

  address(id = 'a'): GatewayAddress {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('The test gateway must listen on TCP.');
    return { id, host: '127.0.0.1', controlPort: address.port };
  }

  /** The next stream that no earlier call has given. */
  async stream(): Promise<TestStream> {
    for (let stream = this.#streams.shift(); ; stream = this.#streams.shift()) {
      if (stream !== undefined) return stream;
      await this.#event();
    }
  }

  /** Resolves once so many requests have come in all. */
  async requested(count: number): Promise<void> {
    while (this.requests.length < count) await this.#event();
  }

  #event(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}
