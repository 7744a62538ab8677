/**
 * Who holds the Lease: the replica's name, and a number of this process's own. Two processes under one name, as a container that was started again or
 * pods on one host's network, must not take each other's Lease for theirs.
 */
export function processIdentity(name: string, random: () => number): string {
  return `${name}_${Math.floor(random() * 2 ** 48)
    .toString(16)
    .padStart(12, '0')}`;
}
