import type { DemandRecord } from './demand.ts';
import type { RoutesUpdate } from './routes.ts';
import type { SigningKey } from './tokens.ts';

/**
 * The stream between one operator replica and one gateway: a single HTTP/1.1 request that the operator opens to the gateway's control port,
 * `POST /v1/stream` with `authorization: Bearer <control token>`, whose request body and response body both stay open and carry one JSON message
 * a line. Routes flow in, demand flows out; either side ends it by closing.
 *
 * The gateway speaks first (GatewayHello, then a full DemandRecord), and sends GatewayHello again when another stream brought it a higher
 * epoch. An operator that does not lead sends OperatorHello and keys only, and reads.
 */
export const STREAM_PATH = '/v1/stream';

/** A line above this ends the stream: nothing honest is that long (a route of 1,000 pods is about 150 KiB). */
export const MAX_LINE_BYTES = 16 * 1024 * 1024;

export interface GatewayHello {
  readonly type: 'hello';
  readonly gateway: string;
  readonly bootId: string;
  /** Highest epoch of routes that this gateway ever took, 0 for none: a new leader must go above it. */
  readonly highestEpoch: number;
}

export interface OperatorHello {
  readonly type: 'hello';
  readonly operator: string;
}

/** The keys that pods' tokens are checked with, whole each time. */
export interface KeysUpdate {
  readonly type: 'keys';
  readonly keys: readonly SigningKey[];
}

export type GatewayMessage = GatewayHello | DemandRecord;
export type OperatorMessage = OperatorHello | KeysUpdate | RoutesUpdate;
