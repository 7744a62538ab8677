/** One operator's stream: routes and keys come in, demand goes out, until either side ends it. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { encodeLine, NdjsonDecoder, NdjsonError } from '../../common/wire/ndjson.ts';
import { MAX_LINE_BYTES, type GatewayMessage, type OperatorMessage } from '../../common/wire/stream.ts';
import type { Logger } from '../../common/platform/logging.ts';
import type { DemandReporter } from '../demand/demand-reporter.ts';
import { FieldError } from '../../common/wire/fields.ts';
import type { KeyRing } from './key-ring.ts';
import { parseOperatorMessage } from './parse-operator-message.ts';
import type { RoutesIntake } from './routes-intake.ts';

/** A peer whose machine vanished is noticed by the kernel's probes after this long without traffic, not after Linux' two hours. */
const PROBE_MILLISECONDS = 5_000;

export interface OperatorStreamParts {
  readonly gateway: string;
  readonly reporter: DemandReporter;
  readonly intake: RoutesIntake;
  readonly keys: KeyRing;
  readonly logger: Logger;
}

export class OperatorStream {
  readonly #parts: OperatorStreamParts;
  readonly #number: number;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  #operator = 'unknown';
  #isOver = false;

  /** `number` is this stream's own within the process. Both bodies belong to it from here on; `onClose` is called when they are done. */
  constructor(
    parts: OperatorStreamParts,
    number: number,
    request: IncomingMessage,
    response: ServerResponse,
    onClose: () => void,
  ) {
    this.#parts = parts;
    this.#number = number;
    this.#request = request;
    this.#response = response;
    request.socket.setKeepAlive(true, PROBE_MILLISECONDS);
    // Closed at the end: the operator's half may have any number of lines that nobody will read.
    response.writeHead(200, { 'content-type': 'application/x-ndjson', connection: 'close' });
    this.greet();
    const unsubscribe = parts.reporter.subscribe((record) => {
      this.#write(record);
    });
    this.#receive();
    response.once('close', () => {
      this.#isOver = true;
      unsubscribe();
      const led = parts.intake.disconnected(number);
      parts.keys.drop(number);
      parts.logger.info({ operator: this.#operator }, 'Operator disconnected');
      if (led) parts.logger.warn({ epoch: parts.intake.epoch }, 'Lost the leader, and served on with its last routes');
      onClose();
    });
  }

  /** Says who this is and which epoch of routes it has; again whenever another operator brought a higher one. */
  greet(): void {
    const { gateway, reporter, intake } = this.#parts;
    this.#write({ type: 'hello', gateway, bootId: reporter.ledger.bootId, highestEpoch: intake.epoch });
  }

  end(): void {
    this.#isOver = true;
    this.#response.end();
  }

  #receive(): void {
    const decoder = new NdjsonDecoder(MAX_LINE_BYTES);
    this.#request.on('data', (chunk: Buffer) => {
      if (this.#isOver) return;
      try {
        decoder.push(chunk, (message) => {
          if (!this.#isOver) this.#take(parseOperatorMessage(message));
        });
      } catch (error) {
        if (!(error instanceof NdjsonError || error instanceof FieldError)) throw error;
        this.#endBecause(error.message);
      }
    });
    this.#request.once('end', () => {
      this.end();
    });
  }

  #take(message: OperatorMessage): void {
    const { intake, keys, logger } = this.#parts;
    switch (message.type) {
      case 'hello':
        this.#operator = message.operator;
        logger.info({ operator: message.operator }, 'Operator connected');
        return;
      case 'keys':
        keys.set(this.#number, message.keys);
        return;
      case 'routes': {
        const { epoch, sequence } = message;
        const { age = 0 } = intake;
        const verdict = intake.take(this.#number, message);
        if (verdict === 'take' && age > 0) {
          logger.info({ operator: this.#operator, seconds: Math.round(age / 1_000) }, 'Was without a leader until now');
        }
        if (verdict === 'ignore') logger.warn({ operator: this.#operator, epoch }, 'Ignored routes of a lower epoch');
        if (verdict === 'end') this.#endBecause(`Routes ${epoch}/${sequence} do not follow what was sent before.`);
      }
    }
  }

  #endBecause(reason: string): void {
    this.#parts.logger.warn({ operator: this.#operator, reason }, 'Ended the stream of an operator');
    this.end();
  }

  #write(message: GatewayMessage): void {
    if (this.#isOver) return;
    if (this.#response.writableLength > MAX_LINE_BYTES) {
      // It does not read; what waits here is of no use to it any more.
      this.#isOver = true;
      this.#response.destroy();
      return;
    }
    this.#response.write(encodeLine(message));
  }
}
