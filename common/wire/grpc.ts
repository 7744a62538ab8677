/** What of gRPC both gateway and runtime must know: which requests are, how a call ends, and its deadline. Pure. */

/** Codes of https://grpc.io/docs/guides/status-codes that are given here. */
export const GRPC_STATUS = {
  OK: 0,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  RESOURCE_EXHAUSTED: 8,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
} as const;
export type GrpcStatus = (typeof GRPC_STATUS)[keyof typeof GRPC_STATUS];

/** `application/grpc`, `application/grpc+proto`, …; not `application/grpc-web`, which is HTTP like any other. */
export function isGrpcType(type: string | undefined): boolean {
  return type !== undefined && /^application\/grpc(?:$|[+;])/i.test(type);
}

/** Trailers may carry printable ASCII only: the rest is percent-encoded, and so is the percent sign. */
export function encodeGrpcMessage(message: string): string {
  // Half a surrogate pair is no text, and would be an error.
  const text = message.replace(/[\ud800-\udfff]/gu, '\ufffd');
  return text.replace(/[^\x20-\x24\x26-\x7e]+/gu, encodeURIComponent);
}

/** By code, as https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto has them. */
const HTTP_STATUSES = [200, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401];

/** What HTTP would call it; 500 where it is missing or unknown. */
export function httpStatus(grpcStatus: unknown): number {
  return HTTP_STATUSES[Number(grpcStatus ?? Number.NaN)] ?? 500;
}

const MILLISECONDS: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1_000,
  m: 1,
  u: 0.001,
  n: 0.000_001,
};

/** Milliseconds of the header `grpc-timeout`; undefined if there is none, or none that can be read. */
export function parseGrpcTimeout(header: string | string[] | undefined): number | undefined {
  const [, digits, unit] = /^(\d{1,8})([HMSmun])$/.exec(typeof header === 'string' ? header : '') ?? [];
  const factor = MILLISECONDS[unit ?? ''];
  return digits === undefined || factor === undefined ? undefined : Number(digits) * factor;
}

/** The header for so many milliseconds, of which it can say 27 hours. */
export function formatGrpcTimeout(milliseconds: number): string {
  return `${Math.min(Math.max(Math.ceil(milliseconds), 1), 99_999_999)}m`;
}
