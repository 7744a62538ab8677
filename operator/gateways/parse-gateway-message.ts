import {
  boolean,
  fields,
  FieldError,
  integer,
  list,
  name,
  number,
  oneOf,
  optional,
  text,
  TEXT,
} from '../../common/wire/fields.ts';
import { parseAnnouncement } from '../../common/wire/parse-announcement.ts';
import type { DemandRecord, RevisionDemand } from '../../common/wire/demand.ts';
import { SIGNING_KEY_ID } from '../../common/wire/tokens.ts';
import type { GatewayMessage } from '../../common/wire/stream.ts';

/** Reads a message of a gateway field by field. Gateways face strangers, so what one sends is bounded before it moves any replica. */

const MOST_REVISIONS = 50_000;
const MOST_ANNOUNCEMENTS = 10_000;
/** A gateway has the keys of all its operators, which are mostly the same. */
const MOST_KEYS = 1_000;
const MOST_REQUESTS = 1_000_000;
/** Three centuries. */
const MOST_UPTIME_SECONDS = 1e10;

/** Throws a FieldError. */
export function parseGatewayMessage(value: unknown): GatewayMessage {
  const given = fields(value, 'message');
  const type = oneOf(given['type'], 'type', ['hello', 'demand']);
  switch (type) {
    case 'hello':
      return {
        type,
        gateway: text(given['gateway'], 'gateway', TEXT, 253),
        bootId: text(given['bootId'], 'bootId', TEXT, 128),
        // Below the largest safe integer, so that there is always a higher one for the next leader.
        highestEpoch: integer(given['highestEpoch'], 'highestEpoch', 0, Number.MAX_SAFE_INTEGER - 1_000_000),
      };
    case 'demand':
      return parseDemand(given);
  }
}

function parseDemand(given: Readonly<Record<string, unknown>>): DemandRecord {
  const uptimeSeconds = number(given['uptimeSeconds'], 'uptimeSeconds');
  if (uptimeSeconds > MOST_UPTIME_SECONDS) throw new FieldError('uptimeSeconds', `at most ${MOST_UPTIME_SECONDS}`);
  return {
    type: 'demand',
    bootId: text(given['bootId'], 'bootId', TEXT, 128),
    sequence: integer(given['sequence'], 'sequence', 0, Number.MAX_SAFE_INTEGER),
    uptimeSeconds,
    full: boolean(given['full'], 'full'),
    revisions: list(given['revisions'], 'revisions', MOST_REVISIONS, parseRevision),
    announcements: list(given['announcements'], 'announcements', MOST_ANNOUNCEMENTS, parseAnnouncement),
    ...optional(given, 'keys', 'message', (keys, path) =>
      list(keys, path, MOST_KEYS, (id, at) => text(id, at, SIGNING_KEY_ID, 64)),
    ),
  };
}

function parseRevision(value: unknown, path: string): RevisionDemand {
  const given = fields(value, path);
  return {
    namespace: name(given['namespace'], `${path}.namespace`),
    revision: name(given['revision'], `${path}.revision`),
    requestSeconds: number(given['requestSeconds'], `${path}.requestSeconds`),
    requests: integer(given['requests'], `${path}.requests`, 0, Number.MAX_SAFE_INTEGER),
    inFlight: integer(given['inFlight'], `${path}.inFlight`, 0, MOST_REQUESTS),
    queued: integer(given['queued'], `${path}.queued`, 0, MOST_REQUESTS),
  };
}
