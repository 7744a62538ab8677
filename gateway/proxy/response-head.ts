/** What of a pod's answer the client gets to see, and what the gateway adds. Pure. */
import type { IncomingHttpHeaders } from 'node:http';
import { RESPONSE_HEADERS } from '../../common/wire/headers.ts';
import { CONNECTION_FIELDS, withoutConnectionOptions } from './connection-fields.ts';

/** Fields of the connection between gateway and pod, and the pod's proof of who it is. */
const NOT_PASSED_ON = new Set<string>([
  ...CONNECTION_FIELDS,
  RESPONSE_HEADERS.podUid,
  RESPONSE_HEADERS.revision,
  RESPONSE_HEADERS.coldStart,
]);

/** Milliseconds. */
export interface ResponsePhases {
  /** The wait for a slot in a pod; 0 if there was none. */
  readonly queue: number;
  /** From sending the request to the head of the answer. */
  readonly pod: number;
  /** Set if the wait was for the revision's first pod: its phases of start, as far as they are known. */
  readonly start: Readonly<Record<string, number>> | undefined;
}

/** Name, value, name, value, … */
export function responseFields(headers: IncomingHttpHeaders, revision: string, phases: ResponsePhases): string[] {
  const fields: string[] = [];
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined || NOT_PASSED_ON.has(name)) continue;
    if (typeof value === 'string') fields.push(name, value);
    else for (const one of value) fields.push(name, one);
  }
  const kept = withoutConnectionOptions(fields, headers.connection);
  kept.push(RESPONSE_HEADERS.revision, revision, RESPONSE_HEADERS.serverTiming, serverTiming(phases));
  if (phases.start !== undefined) kept.push(RESPONSE_HEADERS.coldStart, String(Math.round(phases.queue)));
  return kept;
}

/** `queue;dur=812.4, start-fetch;dur=310, pod;dur=1.2` (W3C Server-Timing; milliseconds). */
function serverTiming({ queue, pod, start }: ResponsePhases): string {
  let timing = queue > 0 ? `queue;dur=${round(queue)}, ` : '';
  for (const [phase, milliseconds] of Object.entries(start ?? {})) {
    timing += `start-${phase};dur=${round(milliseconds)}, `;
  }
  return `${timing}pod;dur=${round(pod)}`;
}

function round(milliseconds: number): number {
  return Math.round(milliseconds * 10) / 10;
}
