/** Lines of figures: what it is, and its value. */
import { formatSummary, summarise } from '../median.ts';

export function line(label: string, value: string): string {
  return `  ${label.padEnd(60)} ${value}`;
}

/** Median (min to max, n). Throws if nothing was measured. */
export function row(label: string, values: readonly number[], digits = 0): string {
  return line(label, formatSummary(summarise(values), digits));
}
