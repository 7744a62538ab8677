/** The header `grpc-timeout`: up to eight digits and a unit. */

const MILLISECONDS: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1_000,
  m: 1,
  u: 0.001,
  n: 0.000_001,
};

/** Milliseconds; undefined if there is none, or none that can be read. */
export function parseGrpcTimeout(header: string | string[] | undefined): number | undefined {
  const [, digits, unit] = /^(\d{1,8})([HMSmun])$/.exec(typeof header === 'string' ? header : '') ?? [];
  const factor = MILLISECONDS[unit ?? ''];
  return digits === undefined || factor === undefined ? undefined : Number(digits) * factor;
}
