/** An entry of PILOTLIGHT_GATEWAYS: a name or address, and the gateway's control port. */
export interface GatewayAddress {
  readonly host: string;
  readonly port: number;
}

/** `host:port` entries separated by commas, IPv6 in brackets. Returns undefined for an entry that is neither. */
export function parseGatewayAddresses(text: string): GatewayAddress[] | undefined {
  const addresses: GatewayAddress[] = [];
  for (const entry of text.split(',')) {
    if (entry.trim() === '') continue;
    const match = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]+)):(\d{1,5})$/.exec(entry.trim());
    const host = match?.[1] ?? match?.[2];
    const port = Number(match?.[3]);
    if (host === undefined || !(port >= 1 && port <= 65_535)) return undefined;
    addresses.push({ host, port });
  }
  return addresses;
}
