/** Shares requests out among revisions by their percentages. Pure: the random number is an argument. */

export interface Share<Target> {
  readonly percent: number;
  readonly target: Target;
}

/**
 * The share that `random`, in [0, 1), falls into. Percentages that do not add up to 100 keep their proportions, so a half-written split still
 * serves. Undefined if no share has any.
 */
export function pickShare<Target>(shares: readonly Share<Target>[], random: () => number): Target | undefined {
  const [only] = shares;
  if (shares.length === 1 && only !== undefined) return only.percent > 0 ? only.target : undefined;
  let total = 0;
  for (const { percent } of shares) total += percent;
  let left = random() * total;
  for (const { percent, target } of shares) {
    if (percent > 0 && left < percent) return target;
    left -= percent;
  }
  return undefined;
}
