import { GRPC_STATUS } from './grpc.ts';

/**
 * Every error that a client can get from a gateway, by its code. The body is JSON `{"error": sentence, "code": code}`; the sentence names the
 * object and the way out. docs/reference/errors.md lists the same codes, and a test holds them equal.
 */
export const GATEWAY_ERRORS = {
  'unknown-function': { status: 404, grpc: GRPC_STATUS.NOT_FOUND, meaning: 'No function has this host or path.' },
  'bad-request': {
    status: 400,
    grpc: GRPC_STATUS.INVALID_ARGUMENT,
    meaning: 'The request is not valid HTTP for a gateway: host, length or framing.',
  },
  'head-too-large': {
    status: 431,
    grpc: GRPC_STATUS.INVALID_ARGUMENT,
    meaning: 'Host, path and headers together are larger than the gateway takes.',
  },
  'not-implemented': {
    status: 501,
    grpc: GRPC_STATUS.UNIMPLEMENTED,
    meaning: 'The client asked for a protocol that this gateway does not serve.',
  },
  'body-too-large': {
    status: 413,
    grpc: GRPC_STATUS.RESOURCE_EXHAUSTED,
    meaning: 'The body is larger than the gateway takes.',
  },
  'queue-full': {
    status: 429,
    grpc: GRPC_STATUS.UNAVAILABLE,
    meaning: 'As many requests or bytes are held for this function as its queue allows.',
  },
  'gateway-full': {
    status: 503,
    grpc: GRPC_STATUS.UNAVAILABLE,
    meaning: 'This gateway holds as many requests or bytes of all functions together as it may.',
  },
  'no-pod-in-time': {
    status: 503,
    grpc: GRPC_STATUS.UNAVAILABLE,
    meaning: 'No pod could take the request within the queue timeout.',
  },
  'revision-failed': {
    status: 503,
    grpc: GRPC_STATUS.UNAVAILABLE,
    meaning: 'The revision cannot start; the sentence says why.',
  },
  'execution-timeout': {
    status: 504,
    grpc: GRPC_STATUS.DEADLINE_EXCEEDED,
    meaning: 'The model took longer than timeoutSeconds.',
  },
  'pod-failed': {
    status: 502,
    grpc: GRPC_STATUS.UNAVAILABLE,
    meaning: 'The pod broke while it had the request, and it could not be sent again.',
  },
  poison: {
    status: 502,
    grpc: GRPC_STATUS.INTERNAL,
    meaning: 'Two pods died with this request in them; it is not sent to a third.',
  },
  'no-routes': {
    status: 503,
    grpc: GRPC_STATUS.UNAVAILABLE,
    meaning: 'This gateway has just started and knows no functions yet; send the request again.',
  },
  'shutting-down': {
    status: 503,
    grpc: GRPC_STATUS.UNAVAILABLE,
    meaning: 'This gateway is ending; send the request again.',
  },
} as const;
export type GatewayErrorCode = keyof typeof GATEWAY_ERRORS;

/** Codes with which the answer carries `retry-after`, in seconds. */
export const RETRYABLE_CODES: readonly GatewayErrorCode[] = [
  'queue-full',
  'gateway-full',
  'no-pod-in-time',
  'revision-failed',
  'no-routes',
  'shutting-down',
];
