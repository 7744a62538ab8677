/** Asks a pod to stop admitting requests if none is in it: the one way to remove a pod without breaking a request. */
import { request } from 'node:http';
import type { PodAddress } from '../../common/wire/announcement.ts';
import { DRAIN_PATH } from '../../common/wire/runtime-environment.ts';

/** `Unreachable`: no answer, or one that makes no sense. */
export type DrainAnswer = 'Draining' | 'Busy' | 'Unreachable';

export type DrainClient = (address: PodAddress, token: string) => Promise<DrainAnswer>;

const TIMEOUT_MILLISECONDS = 1000;

/** Never rejects. */
export const askToDrain: DrainClient = ({ host, ports }, token) =>
  new Promise((resolve) => {
    const ask = request({
      host,
      port: ports.control,
      path: `${DRAIN_PATH}?ifIdle`,
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-length': 0 },
      // A connection that is kept would hold the pod's server open while it ends.
      agent: false,
      signal: AbortSignal.timeout(TIMEOUT_MILLISECONDS),
    });
    ask.on('response', (response) => {
      response.resume();
      response.on('error', () => undefined);
      resolve(meaning(response.statusCode ?? 0));
    });
    ask.on('error', () => {
      resolve('Unreachable');
    });
    ask.end();
  });

function meaning(status: number): DrainAnswer {
  if (status >= 200 && status < 300) return 'Draining';
  return status === 409 ? 'Busy' : 'Unreachable';
}
