/** The Secret that holds the control credentials: read and written by name, and made where there is none. What is in it is never logged. */
import { wait, type Clock } from '../../common/platform/clock.ts';
import type { Logger } from '../../common/platform/logging.ts';
import { backoffMilliseconds } from '../cluster/kubernetes/backoff.ts';
import { isClusterError, type Cluster } from '../cluster/port.ts';
import { SECRETS, type Secret } from '../cluster/resources.ts';
import { newCredentials, newSigningKey } from './control-credentials.ts';
import type { ControlCredentials, RandomBytes, StoredKey } from './control-credentials.ts';
import { controlSecret, parseControlSecret } from './control-secret-data.ts';

export interface ControlSecretOptions {
  /** Nothing is listed or watched, so the role needs `create`, and `get` and `update` of this one name. */
  readonly cluster: Pick<Cluster, 'get' | 'create' | 'update'>;
  readonly namespace: string;
  readonly name: string;
  /** Days after which the leader replaces the signing key; 0: never by itself. */
  readonly rotationDays: number;
  readonly clock: Clock;
  /** In [0, 1); spreads attempts. */
  readonly random: () => number;
  readonly randomBytes: RandomBytes;
  readonly logger: Logger;
}

export interface StoredCredentials {
  readonly credentials: ControlCredentials;
  readonly secret: Secret;
}

export class ControlSecret {
  readonly #options: ControlSecretOptions;

  constructor(options: ControlSecretOptions) {
    this.#options = options;
  }

  get rotationDays(): number {
    return this.#options.rotationDays;
  }

  /**
   * Reads the Secret, or makes it; retries while the API server is away. Throws a ControlSecretError if what is there cannot be used, and the API
   * server's own error if it refuses for good.
   */
  async open(): Promise<StoredCredentials> {
    const { namespace, name, clock, random, randomBytes, logger } = this.#options;
    for (let failures = 0; ; failures++) {
      try {
        return (await this.read()) ?? (await this.create(newCredentials(randomBytes, clock.now())));
      } catch (error) {
        const wasMade = isClusterError(error, 'AlreadyExists');
        if (!wasMade && !isClusterError(error, 'Unavailable', 'TooManyRequests')) throw error;
        const milliseconds = backoffMilliseconds(failures, random(), error.retryAfterSeconds);
        const secret = { namespace, name };
        if (wasMade) logger.info({ secret }, 'Another replica made the control Secret');
        else logger.warn({ secret, err: error, milliseconds }, 'Could not read the control Secret yet');
        await wait(clock, milliseconds);
      }
    }
  }

  /** Undefined if there is none. Throws a ControlSecretError if it cannot be used. */
  async read(): Promise<StoredCredentials | undefined> {
    const { cluster, namespace, name } = this.#options;
    const secret = await cluster.get(SECRETS, { namespace, name });
    return secret && { secret, credentials: parseControlSecret(secret) };
  }

  async create(credentials: ControlCredentials): Promise<StoredCredentials> {
    const { cluster, namespace, name, logger } = this.#options;
    const secret = await cluster.create(SECRETS, controlSecret(namespace, name, credentials));
    logger.info({ secret: { namespace, name } }, 'Made the control Secret');
    return { secret, credentials };
  }

  /** A Conflict if somebody changed it since it was read. */
  async update(changed: Secret): Promise<StoredCredentials> {
    const secret = await this.#options.cluster.update(SECRETS, changed);
    return { secret, credentials: parseControlSecret(secret) };
  }

  newSigningKey(): StoredKey {
    const { clock, randomBytes } = this.#options;
    return newSigningKey(randomBytes, clock.now());
  }
}
