/** The one error of the client: what the gateway, the model server, the network or the client's own checks had to say. */
import { RETRYABLE_CODES, type GatewayErrorCode } from '../common/wire/errors.ts';
import { RESPONSE_HEADERS, type NotAdmitted } from '../common/wire/headers.ts';

/** What the client finds out by itself. */
export type ClientErrorCode =
  /** A tensor whose array, datatype and shape do not fit together; nothing was sent. */
  | 'invalid-tensor'
  /** No connection, or one that broke. */
  | 'unreachable'
  /** Longer than the option `timeout`. */
  | 'timeout'
  /** What came back is not the protocol. */
  | 'invalid-answer';

export interface InferenceErrorDetails {
  readonly status?: number | undefined;
  readonly code?: string | undefined;
  readonly retryable?: boolean | undefined;
  readonly retryAfter?: number | undefined;
  readonly cause?: unknown;
}

/**
 * @example
 * try {
 *   await digits.infer(inputs);
 * } catch (error) {
 *   if (error instanceof InferenceError && error.code === 'queue-full') return tryLater(error.retryAfter);
 *   throw error;
 * }
 */
export class InferenceError extends Error {
  override readonly name = 'InferenceError';
  /** Of the HTTP answer; undefined if there was none. */
  readonly status: number | undefined;
  /** The gateway's code, why a pod did not admit it, or the client's own; undefined where a model server gave none. */
  readonly code: GatewayErrorCode | NotAdmitted | ClientErrorCode | (string & {}) | undefined;
  /** It is certain that no model began to work on the request, and another attempt may succeed. */
  readonly retryable: boolean;
  /** Milliseconds that the server asked to wait. */
  readonly retryAfter: number | undefined;

  constructor(message: string, { status, code, retryable = false, retryAfter, cause }: InferenceErrorDetails = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.status = status;
    this.code = code;
    this.retryable = retryable;
    this.retryAfter = retryAfter;
  }
}

/** Where an answer comes from: enough of a `Response` to say what went wrong. */
export interface ErrorAnswer {
  readonly status: number;
  readonly text: string;
  /** The header's value by its lower-case name. */
  readonly header: (name: string) => string | null;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

const SHOWN_CHARACTERS = 300;

/**
 * The error of an answer of 400 or above. Retryable, because the model cannot have begun, are:
 *
 * | status | what tells                                                      |
 * |--------|-----------------------------------------------------------------|
 * | any    | a gateway's code that says so (RETRYABLE_CODES)                 |
 * | any    | the header pilotlight-not-admitted of a pod                     |
 * | 429    | the status itself: somebody counted and refused                 |
 * | 503    | `retry-after` and no code: a server that asks to come back      |
 *
 * A bare 503 is not: proxies answer so when a connection broke in the middle of the work.
 */
export function errorOfAnswer({ status, text, header, now }: ErrorAnswer): InferenceError {
  const { message, code: given } = readBody(text);
  const notAdmitted = header(RESPONSE_HEADERS.notAdmitted) ?? undefined;
  const code = given ?? notAdmitted;
  const retryAfter = readRetryAfter(header('retry-after'), now);
  const isGateways = given !== undefined && RETRYABLE_CODES.some((known) => known === given);
  const retryable =
    isGateways ||
    notAdmitted !== undefined ||
    status === 429 ||
    (status === 503 && given === undefined && retryAfter !== undefined);
  return new InferenceError(message ?? `The server answered ${status} without a reason.`, {
    status,
    code,
    retryable,
    retryAfter,
  });
}

function readBody(text: string): { readonly message?: string; readonly code?: string } {
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === 'object' && body !== null) {
      // `detail` is how FastAPI, and with it MLServer, calls it.
      const { error, code, detail } = body as Readonly<Record<string, unknown>>;
      const message = typeof error === 'string' ? error : detail === undefined ? text : JSON.stringify(detail);
      return { message: message.slice(0, 10 * SHOWN_CHARACTERS), ...(typeof code === 'string' && { code }) };
    }
  } catch {
    // A proxy's page.
  }
  const shown = text.trim().slice(0, SHOWN_CHARACTERS);
  return shown === '' ? {} : { message: shown };
}

/** Milliseconds of a `retry-after`, which is seconds or a date. */
function readRetryAfter(value: string | null, now: number): number | undefined {
  if (value === null) return undefined;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}
