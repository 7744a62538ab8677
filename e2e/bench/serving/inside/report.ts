/** What the program in the cluster says to the one that started it: a JSON line each. */
import type { ColdRound } from './cold.ts';
import type { LoadResult } from './load.ts';
import type { WarmResult } from './warm.ts';

export type Report =
  | { readonly progress: string }
  | { readonly cold: ColdRound }
  /** A load begins in a moment, of this name. */
  | { readonly begins: string }
  /** It ended a moment ago. */
  | { readonly warm: WarmResult }
  | { readonly load: LoadResult };

export function report(line: Report): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
