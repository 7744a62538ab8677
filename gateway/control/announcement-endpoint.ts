/** `POST /v1/announcements`: reads the message within bounds and answers so that the pod knows whether to say it again. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from '../../common/platform/logging.ts';
import { ByteCollector } from '../../common/platform/byte-collector.ts';
import type { Cancel, Clock } from '../../common/platform/clock.ts';
import type { Announcement } from '../../common/wire/announcement.ts';
import type { GatewayMetrics } from '../metrics.ts';
import type { AnnouncementResult } from '../metrics/control-counters.ts';
import type { AnnouncementIntake } from './announcement-intake.ts';
import { bearerToken } from './bearer-token.ts';
import { FieldError } from '../../common/wire/fields.ts';
import { parseAnnouncement } from '../../common/wire/parse-announcement.ts';

const MOST_BYTES = 64 * 1024;
const MILLISECONDS = 10_000;

/** A pod announces itself again after anything but 2xx, except where that would change nothing. */
const STATUS: Readonly<Record<AnnouncementResult, number>> = {
  accepted: 204,
  kept: 202,
  invalid: 400,
  unauthorized: 401,
  forbidden: 403,
  gone: 410,
  'not-ready': 503,
};

export interface AnnouncementEndpointParts {
  readonly clock: Clock;
  readonly intake: AnnouncementIntake;
  readonly metrics: GatewayMetrics;
  readonly logger: Logger;
}

export function serveAnnouncement(
  { clock, intake, metrics, logger }: AnnouncementEndpointParts,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const answer = (result: AnnouncementResult, message: string): void => {
    metrics.announcements.inc({ result });
    response.writeHead(STATUS[result], { 'content-type': 'application/json' });
    response.end(STATUS[result] === 204 ? undefined : `${JSON.stringify({ result, message })}\n`);
  };
  const token = bearerToken(request);
  if (token === undefined) return answer('unauthorized', 'Send the announce token as `authorization: Bearer <token>`.');
  readBody(request, response, clock, (body) => {
    if (typeof body === 'string') return answer('invalid', body);
    const announcement = parseBody(body);
    if (typeof announcement === 'string') return answer('invalid', announcement);
    const result = intake.take(announcement, token, request.socket.remoteAddress);
    const { namespace, revision, pod, uid, host } = announcement;
    if (result === 'forbidden') logger.warn({ namespace, revision, pod, uid, host }, 'Refused an announcement');
    else logger.info({ namespace, revision, pod, uid, result }, 'Took an announcement');
    answer(result, MEANING[result]);
  });
}

const MEANING: Readonly<Record<AnnouncementResult, string>> = {
  accepted: '',
  kept: 'The revision is not routed yet; the pod is remembered for a minute.',
  invalid: '',
  unauthorized: '',
  forbidden: 'The token is not for this pod, its key is no longer in use, or no pod can have this uid or host.',
  gone: 'The operator has removed this pod.',
  'not-ready': 'No operator has connected yet, or routes still list another pod of this name; announce again.',
};

function parseBody(body: Buffer): Announcement | string {
  try {
    return parseAnnouncement(JSON.parse(body.toString('utf8')));
  } catch (error) {
    if (error instanceof FieldError) return error.message;
    if (error instanceof SyntaxError) return 'The body is not JSON.';
    throw error;
  }
}

/** Calls back once, with a sentence if the body is too large; not at all if the pod leaves or is too slow. */
function readBody(
  request: IncomingMessage,
  response: ServerResponse,
  clock: Clock,
  done: (body: Buffer | string) => void,
): void {
  const collected = new ByteCollector();
  let length = 0;
  const cancel: Cancel = clock.after(MILLISECONDS, () => {
    request.destroy();
  });
  response.once('close', cancel);
  request.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (length <= MOST_BYTES) collected.push(chunk);
  });
  request.once('end', () => {
    cancel();
    done(length > MOST_BYTES ? `An announcement has at most ${MOST_BYTES} bytes.` : collected.bytes);
  });
}
