import { request } from 'node:http';
import { ANNOUNCEMENTS_PATH } from '../../common/wire/announcement.ts';

/** A gateway on the way down can hold a connection open and say nothing. */
const TIMEOUT_MILLISECONDS = 2000;

export interface Post {
  readonly address: string;
  readonly port: number;
  readonly token: string;
  readonly body: string;
  readonly signal: AbortSignal;
}

/** `heard` for any 2xx, the status of a refusal (4xx but 429) that repeating will not change, `failed` for what may pass. Never rejects. */
export function postAnnouncement({ address, port, token, body, signal }: Post): Promise<'heard' | 'failed' | number> {
  return new Promise((resolve) => {
    const outgoing = request(
      {
        host: address,
        port,
        path: ANNOUNCEMENTS_PATH,
        method: 'POST',
        agent: false,
        timeout: TIMEOUT_MILLISECONDS,
        signal,
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
        },
      },
      (response) => {
        response.resume();
        const status = response.statusCode ?? 0;
        if (status >= 200 && status < 300) resolve('heard');
        else resolve(status >= 400 && status < 500 && status !== 429 ? status : 'failed');
      },
    );
    outgoing.on('timeout', () => outgoing.destroy());
    outgoing.on('error', () => {
      resolve('failed');
    });
    outgoing.end(body);
  });
}
