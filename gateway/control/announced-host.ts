/**
 * Decides whether a pod may have its requests sent to the host that it announced. Pure. A token proves which pod speaks, not where it is, and the
 * gateway may reach what a pod may not: its own other ports, the services of its node, the cloud's metadata (169.254.169.254).
 */
import { BlockList, isIP } from 'node:net';

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/** No pod has an address in these: unspecified, link-local, multicast and reserved (RFC 6890). */
const NO_POD = new BlockList();
NO_POD.addSubnet('0.0.0.0', 8, 'ipv4');
NO_POD.addSubnet('169.254.0.0', 16, 'ipv4');
NO_POD.addSubnet('224.0.0.0', 3, 'ipv4');
NO_POD.addAddress('::', 'ipv6');
NO_POD.addSubnet('fe80::', 10, 'ipv6');
NO_POD.addSubnet('ff00::', 8, 'ipv6');

/** `from` is the address that the announcement came from. Only what runs on this machine may name this machine, as the pods of local mode do. */
export function mayAnnounceHost(host: string, from: string | undefined): boolean {
  // A name could mean another address each time that it is looked up.
  if (isIP(host) === 0 || contains(NO_POD, host)) return false;
  return !contains(LOOPBACK, host) || (from !== undefined && contains(LOOPBACK, from));
}

/** IPv4 addresses written as IPv6 (`::ffff:127.0.0.1`) are compared as IPv4. */
function contains(list: BlockList, address: string): boolean {
  return list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}
