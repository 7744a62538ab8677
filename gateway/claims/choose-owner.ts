/**
 * Decides which gateway gives out the slots of a revision. Pure. Rendezvous hashing (Thaler and Ravishankar, 1998): each gateway gets a score for the
 * revision, and the highest wins, so that all who know the same gateways choose the same one without a word, and a gateway that goes or comes moves only the
 * revisions that it had or gets.
 */

/** One of `ids`, in whatever order they come; undefined if there is none. `key` is the revision's `namespace/name`. */
export function chooseOwner(key: string, ids: Iterable<string>): string | undefined {
  let best: string | undefined;
  let highest = -1;
  for (const id of ids) {
    const score = hash(`${id}\n${key}`);
    if (score > highest || (score === highest && best !== undefined && id < best)) {
      highest = score;
      best = id;
    }
  }
  return best;
}

/** FNV-1a over 32 bits, whose weak upper bits the last steps of MurmurHash3 mix: names that differ in one digit must not score alike. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
