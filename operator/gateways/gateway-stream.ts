import { request as httpRequest } from 'node:http';
import type { Clock } from '../../common/platform/clock.ts';
import { encodeLine, NdjsonDecoder } from '../../common/wire/ndjson.ts';
import { MAX_LINE_BYTES, STREAM_PATH, type GatewayMessage, type OperatorMessage } from '../../common/wire/stream.ts';
import { SILENCE_SECONDS } from './demand-ledger.ts';
import { parseGatewayMessage } from './parse-gateway-message.ts';

/** Where a gateway pod is. */
export interface GatewayAddress {
  /** Names the pod for as long as it lives. */
  readonly id: string;
  readonly host: string;
  readonly controlPort: number;
  /** The API says that it is not ready, or being deleted. It may live on; if it is silent too, it does not. */
  readonly doubtful?: boolean;
}

/** What a stream stands on, and whom it tells. `onMessage` may throw, which ends the stream. */
export interface GatewayStreamOptions {
  readonly address: GatewayAddress;
  readonly token: string;
  readonly clock: Clock;
  readonly onMessage: (message: GatewayMessage) => void;
  /** The gateway has read enough for more to be written. */
  readonly onDrain: () => void;
  /** Once, whatever the cause, unless it was closed from here. */
  readonly onEnd: (cause: Error) => void;
}

/** An open stream, or one that is being opened. */
export interface GatewayStream {
  /** False: do not write more before `onDrain`. */
  write(message: OperatorMessage): boolean;
  close(): void;
}

/**
 * One attempt at a stream to a gateway: a single HTTP request both bodies of which stay open. It ends itself when the gateway refuses it, sends what
 * is no message, or is silent for 3 s though it owes a heartbeat each second; trying again is for the caller.
 */
export function openGatewayStream(options: GatewayStreamOptions): GatewayStream {
  const { address, token, clock, onMessage, onDrain, onEnd } = options;
  const decoder = new NdjsonDecoder(MAX_LINE_BYTES);
  const request = httpRequest({
    host: address.host,
    port: address.controlPort,
    method: 'POST',
    path: STREAM_PATH,
    agent: false,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/x-ndjson' },
  });
  let open = true;
  let cancelSilence = clock.after(SILENCE_SECONDS * 1000, silent);

  function close(): void {
    open = false;
    cancelSilence();
    request.destroy();
  }
  function end(cause: Error): void {
    if (!open) return;
    close();
    onEnd(cause);
  }
  function silent(): void {
    end(new Error(`Gateway ${address.id} was silent for ${SILENCE_SECONDS} s.`));
  }
  function take(value: unknown): void {
    if (!open) return;
    cancelSilence();
    cancelSilence = clock.after(SILENCE_SECONDS * 1000, silent);
    onMessage(parseGatewayMessage(value));
  }

  request.setNoDelay(true);
  request.on('response', (response) => {
    if (response.statusCode !== 200) return end(refusal(address, response.statusCode));
    response.on('data', (chunk: Uint8Array) => {
      try {
        decoder.push(chunk, take);
      } catch (error) {
        end(new Error(`Reading from gateway ${address.id} failed: ${String(error)}`, { cause: error }));
      }
    });
    response.on('error', end);
    response.on('close', () => end(new Error(`Gateway ${address.id} ended the stream.`)));
  });
  request.on('drain', onDrain);
  request.on('error', end);
  request.on('close', () => end(new Error(`Gateway ${address.id} closed the connection.`)));
  request.flushHeaders();

  return { write: (message) => open && request.write(encodeLine(message)), close };
}

function refusal({ id }: GatewayAddress, status = 0): Error {
  return status === 401
    ? new Error(`Gateway ${id} refused the control token (401); operators and gateways must have the same one.`)
    : new Error(`Gateway ${id} answered ${status} where a stream (200) was expected.`);
}
