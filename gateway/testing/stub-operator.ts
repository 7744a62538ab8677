/** An operator for tests: opens the stream, sends what it is told, keeps what it hears. */
import { request as httpRequest, type ClientRequest } from 'node:http';
import { encodeLine, NdjsonDecoder } from '../../common/wire/ndjson.ts';
import type { DemandRecord } from '../../common/wire/demand.ts';
import type { FunctionName, FunctionRoute, GatewaysRoute } from '../../common/wire/routes.ts';
import { MAX_LINE_BYTES, STREAM_PATH, type GatewayHello, type GatewayMessage } from '../../common/wire/stream.ts';
import type { SigningKey } from '../../common/wire/tokens.ts';
import { Inbox } from './inbox.ts';

export class StubOperator {
  readonly messages = new Inbox<GatewayMessage>();
  /** Resolves when the gateway ended the stream, or the connection broke. */
  readonly ended: Promise<void>;
  readonly #request: ClientRequest;
  readonly #name: string;
  #sequence = 0;

  constructor(port: number, token: string, name = 'operator-0') {
    this.#name = name;
    this.#request = httpRequest({
      host: '127.0.0.1',
      port,
      method: 'POST',
      path: STREAM_PATH,
      agent: false,
      headers: { authorization: `Bearer ${token}` },
    });
    this.ended = new Promise((resolve) => {
      this.#request.on('error', () => resolve());
      this.#request.on('response', (response) => {
        const decoder = new NdjsonDecoder(MAX_LINE_BYTES);
        response.on('data', (chunk: Buffer) => {
          decoder.push(chunk, (message) => {
            this.messages.put(message as GatewayMessage);
          });
        });
        response.on('end', () => resolve());
        response.on('error', () => resolve());
      });
    });
    this.send({ type: 'hello', operator: name });
  }

  send(message: object): void {
    this.#request.write(encodeLine(message));
  }

  sendRaw(text: string): void {
    this.#request.write(text);
  }

  keys(keys: readonly SigningKey[]): void {
    this.send({ type: 'keys', keys });
  }

  /** Everything. */
  routes(epoch: number, functions: readonly FunctionRoute[], gateways?: GatewaysRoute): void {
    this.#sequence += 1;
    this.send({ type: 'routes', epoch, sequence: this.#sequence, full: true, functions, removed: [], gateways });
  }

  gateways(epoch: number, gateways: GatewaysRoute): void {
    this.#sequence += 1;
    this.send({ type: 'routes', epoch, sequence: this.#sequence, full: false, functions: [], removed: [], gateways });
  }

  change(epoch: number, functions: readonly FunctionRoute[], removed: readonly FunctionName[] = []): void {
    this.#sequence += 1;
    this.send({ type: 'routes', epoch, sequence: this.#sequence, full: false, functions, removed });
  }

  skipSequence(): void {
    this.#sequence += 1;
  }

  hello(fits: (hello: GatewayHello) => boolean = () => true): Promise<GatewayMessage> {
    return this.messages.next((message) => message.type === 'hello' && fits(message));
  }

  async demand(fits: (record: DemandRecord) => boolean = () => true): Promise<DemandRecord> {
    const found = await this.messages.next((message) => message.type === 'demand' && fits(message));
    if (found.type !== 'demand') throw new Error(`${this.#name} got something else`);
    return found;
  }

  cut(): void {
    this.#request.destroy();
  }

  end(): void {
    this.#request.end();
  }
}
