/** The candidate a mistyped name most likely meant, or undefined if none is close: at most a third of the longer name may differ. */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Infinity;
  for (const candidate of candidates) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    const allowed = Math.max(1, Math.floor(Math.max(name.length, candidate.length) / 3));
    if (distance <= allowed && distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** Longest name that is compared at all: the cost is quadratic, and the name is a stranger's. */
const MAX_LENGTH = 100;

/** Single-character insertions, deletions, replacements and swaps of neighbours (optimal string alignment). */
function editDistance(left: string, right: string): number {
  if (left.length > MAX_LENGTH || right.length > MAX_LENGTH) return Infinity;
  const rows = [Array.from({ length: right.length + 1 }, (_, index) => index)];
  const cost = (row: number, column: number): number => rows[row]?.[column] ?? Infinity;
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    rows.push(current);
    for (let column = 1; column <= right.length; column++) {
      const [l, r] = [left[row - 1], right[column - 1]];
      const swapped = row > 1 && column > 1 && l === right[column - 2] && left[row - 2] === r;
      current[column] = Math.min(
        cost(row - 1, column - 1) + (l === r ? 0 : 1),
        cost(row - 1, column) + 1,
        cost(row, column - 1) + 1,
        swapped ? cost(row - 2, column - 2) + 1 : Infinity,
      );
    }
  }
  return cost(left.length, right.length);
}
