/** The Secret that holds the control credentials: read by name, and made where there is none. What is in it is never logged. */
import { wait, type Clock } from '../../common/platform/clock.ts';
import type { Logger } from '../../common/platform/logging.ts';
import { backoffMilliseconds } from '../cluster/kubernetes/backoff.ts';
import { isClusterError, type Cluster } from '../cluster/port.ts';
import { SECRETS } from '../cluster/resources.ts';
import { newCredentials, type ControlCredentials, type RandomBytes } from './control-credentials.ts';
import { controlSecret, parseControlSecret } from './control-secret-data.ts';

export interface ControlSecretOptions {
  /** Nothing is listed or watched, so the role needs `create`, and `get` and `update` of this one name. */
  readonly cluster: Pick<Cluster, 'get' | 'create'>;
  readonly namespace: string;
  readonly name: string;
  readonly clock: Clock;
  /** In [0, 1); spreads attempts. */
  readonly random: () => number;
  readonly randomBytes: RandomBytes;
  readonly logger: Logger;
}

export class ControlSecret {
  readonly #options: ControlSecretOptions;

  constructor(options: ControlSecretOptions) {
    this.#options = options;
  }

  /**
   * Reads the Secret, or makes it; retries while the API server is away. Throws a ControlSecretError if what is there cannot be used, and the API
   * server's own error if it refuses for good.
   */
  async open(): Promise<ControlCredentials> {
    const { namespace, name, clock, random, logger } = this.#options;
    for (let failures = 0; ; failures++) {
      try {
        return await this.#getOrCreate();
      } catch (error) {
        // AlreadyExists: another replica was faster.
        if (!isClusterError(error, 'AlreadyExists', 'Unavailable', 'TooManyRequests')) throw error;
        const milliseconds = backoffMilliseconds(failures, random(), error.retryAfterSeconds);
        logger.warn({ secret: { namespace, name }, err: error, milliseconds }, 'Could not read the control Secret yet');
        await wait(clock, milliseconds);
      }
    }
  }

  async #getOrCreate(): Promise<ControlCredentials> {
    const { cluster, namespace, name, clock, randomBytes, logger } = this.#options;
    const found = await cluster.get(SECRETS, { namespace, name });
    if (found !== undefined) return parseControlSecret(found);
    const credentials = newCredentials(randomBytes, clock.now());
    await cluster.create(SECRETS, controlSecret(namespace, name, credentials));
    logger.info({ secret: { namespace, name } }, 'Made the control Secret');
    return credentials;
  }
}
