/**
 * Tells every gateway that this pod is ready, each until it has heard. A name is looked up anew before each attempt and every address behind it is
 * a gateway of its own. Nothing here decides what a gateway makes of it.
 */
import { lookup } from 'node:dns/promises';
import { wait, type Clock } from '../../common/platform/clock.ts';
import type { Logger } from '../../common/platform/logging.ts';
import type { Announcement } from '../../common/wire/announcement.ts';
import { retryDelay } from './retry-delay.ts';
import type { GatewayAddress } from './gateway-address.ts';
import { postAnnouncement } from './post-announcement.ts';

export interface AnnounceOptions {
  readonly announcement: Announcement;
  readonly gateways: readonly GatewayAddress[];
  readonly token: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** From 0 to 1, for the jitter. */
  readonly random: () => number;
  /** Ends it: the pod takes requests no more. */
  readonly signal: AbortSignal;
}

/** Resolves when every gateway has heard, or the signal aborted. Never rejects. */
export async function announce(options: AnnounceOptions): Promise<void> {
  const body = JSON.stringify(options.announcement);
  await Promise.all(options.gateways.map((gateway) => announceTo(gateway, body, options)));
}

async function announceTo({ host, port }: GatewayAddress, body: string, options: AnnounceOptions): Promise<void> {
  const { token, clock, logger, random, signal } = options;
  const heard = new Set<string>();
  for (let attempt = 0; !signal.aborted; attempt++) {
    const outcomes = await Promise.all(
      (await addressesOf(host)).map(async (address) => {
        if (heard.has(address)) return 'heard';
        const outcome = await postAnnouncement({ address, port, token, body, signal });
        if (outcome === 'heard') heard.add(address);
        return outcome;
      }),
    );
    if (outcomes.length > 0 && outcomes.every((outcome) => outcome === 'heard')) return;
    const refused = outcomes.find((outcome) => typeof outcome === 'number');
    if (refused !== undefined)
      logger.warn({ gateway: `${host}:${port}`, status: refused }, 'Gateway refused announcement');
    await wait(clock, retryDelay(attempt, refused !== undefined, random()), signal);
  }
}

/** Addresses behind a name; none while it cannot be looked up. */
async function addressesOf(host: string): Promise<string[]> {
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address);
  } catch {
    return [];
  }
}
