/** Which content coding an answer may have, by the request's Accept-Encoding (RFC 9110, 12.5.3). Whether compression pays is decided elsewhere. */

/** In the order of preference where the client has none. */
export const CODINGS = ['gzip', 'deflate'] as const;
export type Coding = (typeof CODINGS)[number];

/** The coding with the highest weight that the client takes at least as gladly as no coding; undefined for none. */
export function chooseCoding(acceptEncoding: string | undefined): Coding | undefined {
  if (acceptEncoding === undefined) return undefined;
  const weights = parseWeights(acceptEncoding);
  const any = weights.get('*') ?? 0;
  const identity = weights.get('identity') ?? 0;
  let best: Coding | undefined;
  let bestWeight = 0;
  for (const coding of CODINGS) {
    const weight = weights.get(coding) ?? any;
    if (weight > bestWeight && weight >= identity) [best, bestWeight] = [coding, weight];
  }
  return best;
}

function parseWeights(header: string): Map<string, number> {
  const weights = new Map<string, number>();
  for (const part of header.toLowerCase().split(',')) {
    const [coding = '', ...parameters] = part.split(';');
    const weight = parameters.map((text) => /^\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*$/.exec(text)?.[1]).find(Boolean);
    weights.set(coding.trim(), weight === undefined ? 1 : Number(weight));
  }
  return weights;
}
