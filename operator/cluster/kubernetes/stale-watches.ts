import type { WatchFreshness } from './watch-loop.ts';

/**
 * A watch that is silent for 150 s is begun anew, and attempts are at most 30 s apart and fail after 30 s: one that heard nothing for this long is not
 * slow, it is refused.
 */
const STALE_MILLISECONDS = 300_000;

/**
 * Why the view of the cluster is not to be trusted; undefined if it is. For people and roll-outs to see: an operator leads on with what it knows, for
 * demand comes from gateways, and what it writes is checked by the API server.
 *
 * @param now monotonic milliseconds
 */
export function staleWatches(watches: readonly WatchFreshness[], now: number): string | undefined {
  const stale = watches.filter(({ lastContact }) => now - lastContact > STALE_MILLISECONDS);
  if (stale.length === 0) return undefined;
  const names = stale.map(({ name, lastContact }) => `${name} for ${Math.floor((now - lastContact) / 1000)} s`);
  return `The API server has sent nothing on the watch of ${names.join(', of ')}.`;
}
