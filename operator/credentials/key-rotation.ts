/**
 * Keeps up with the Secret's signing keys: every replica reads them again each minute and hands them to the gateways; the leader adds and removes
 * keys. It decides nothing itself, and a Secret that cannot be read or used changes nothing.
 */
import type { Registry } from 'prom-client';
import { wait, type Clock } from '../../common/platform/clock.ts';
import type { Logger } from '../../common/platform/logging.ts';
import type { SigningKeys, StoredKey } from './control-credentials.ts';
import { isOurs, madeAt, rotationRequest, withSigningKeys } from './control-secret-data.ts';
import type { ControlSecret, StoredCredentials } from './control-secret.ts';
import { within } from '../leadership/within.ts';
import { decideRotation, decideSigner } from './decide-rotation.ts';
import { signingKeyMetrics } from './signing-key-metrics.ts';

export interface KeyRotationOptions {
  readonly secret: ControlSecret;
  /** As it was opened. */
  readonly opened: StoredCredentials;
  readonly clock: Clock;
  /** In [0, 1); spreads the replicas' reads. */
  readonly random: () => number;
  /** Ids of the keys that every connected gateway has; undefined while none is connected. */
  readonly held: () => ReadonlySet<string> | undefined;
  /** How many pods have tokens of each key, by id; of all pods that exist. */
  readonly podsByKey: () => ReadonlyMap<string, number>;
  readonly leads: () => boolean;
  /** The control token is another one from now on; gateways get it when they start. */
  readonly onToken: (token: string) => void;
  /** The keys that gateways are to have from now on. */
  readonly onKeys: (keys: SigningKeys) => void;
  readonly registry: Registry;
  readonly logger: Logger;
}

const READ_MILLISECONDS = 60_000;
/** Longer than the time between two reads: so old, a key was read by every replica that can read. */
const FRESH_MILLISECONDS = 90_000;

/** What hangs must not keep the process from ending. */
const CALL_MILLISECONDS = 5_000;

/** In metrics, of keys that are not in the Secret. */
const OTHER_KEYS = 'other';

const DAY_MILLISECONDS = 86_400_000;

export class KeyRotation {
  readonly #options: KeyRotationOptions;
  readonly #ending = new AbortController();
  #stored: StoredCredentials;
  /** Monotonic milliseconds at which a key was first seen, of those that came after the start. */
  readonly #seenAt = new Map<string, number>();
  #signed: string | undefined;
  #signedAt = 0;
  #wake = new AbortController();
  #running: Promise<void> | undefined;

  constructor(options: KeyRotationOptions) {
    this.#options = options;
    this.#stored = options.opened;
    signingKeyMetrics(options.registry, () => {
      const pods = new Map(this.#keys.map(({ id }) => [id, 0]));
      for (const [id, count] of options.podsByKey()) {
        // Whoever may make pods must not make series.
        const key = pods.has(id) ? id : OTHER_KEYS;
        pods.set(key, (pods.get(key) ?? 0) + count);
      }
      return { madeAt: madeAt(this.signer(), this.#stored.secret), pods };
    });
  }

  /** The key of new pods' tokens, at this moment. */
  signer(): StoredKey {
    const { clock, held, logger } = this.#options;
    const now = clock.monotonic();
    const key = decideSigner({
      keys: this.#keys,
      signed: this.#signed,
      held: held(),
      isFresh: (id) => now - (this.#seenAt.get(id) ?? -Infinity) < FRESH_MILLISECONDS,
    });
    if (key.id !== this.#signed) {
      logger.info({ key: key.id, former: this.#signed }, 'Began to sign with a key');
      this.#signed = key.id;
      this.#signedAt = now;
    }
    return key;
  }

  /** Reads each minute from now on. */
  start(): void {
    this.#running ??= this.#run();
  }

  /** This replica leads: what it knows may be a minute old, and its predecessor may have signed with another key until now. */
  lead(): void {
    this.#signedAt = this.#options.clock.monotonic();
    this.#wake.abort();
  }

  async close(): Promise<void> {
    this.#ending.abort();
    await this.#running;
  }

  get #keys(): SigningKeys {
    return this.#stored.credentials.signingKeys;
  }

  async #run(): Promise<void> {
    const { clock, random } = this.#options;
    const { signal } = this.#ending;
    for (;;) {
      await wait(clock, READ_MILLISECONDS * (1 - 0.2 * random()), AbortSignal.any([signal, this.#wake.signal]));
      if (signal.aborted) return;
      this.#wake = new AbortController();
      await this.#refresh();
    }
  }

  async #refresh(): Promise<void> {
    const { secret, leads, logger } = this.#options;
    try {
      const found = await this.#inTime(secret.read());
      // Without it gateways that start have no token.
      const stored = found ?? (leads() ? await this.#inTime(secret.create(this.#stored.credentials)) : undefined);
      if (stored === undefined) return;
      this.#take(stored);
      if (leads()) await this.#rotate();
    } catch (error) {
      logger.warn({ err: error }, 'Could not keep up with the signing keys, trying again');
    }
  }

  #take(stored: StoredCredentials): void {
    const { clock, onToken, onKeys, logger } = this.#options;
    const { token, signingKeys: before } = this.#stored.credentials;
    this.#stored = stored;
    const keys = this.#keys;
    if (stored.credentials.token !== token) {
      logger.info('Read another control token');
      onToken(stored.credentials.token);
    }
    if (JSON.stringify(keys) !== JSON.stringify(before)) {
      for (const { id } of keys) if (!before.some((key) => key.id === id)) this.#seenAt.set(id, clock.monotonic());
      for (const id of this.#seenAt.keys()) if (!keys.some((key) => key.id === id)) this.#seenAt.delete(id);
      logger.info({ keys: keys.map(({ id }) => id) }, 'Read other signing keys');
      onKeys(keys);
    }
    this.signer();
  }

  async #rotate(): Promise<void> {
    const { secret, clock, podsByKey, logger } = this.#options;
    const keys = this.#keys;
    const request = rotationRequest(this.#stored.secret);
    const step = decideRotation({
      keys,
      isOurs: isOurs(this.#stored.secret),
      signer: this.signer().id,
      signedFor: clock.monotonic() - this.#signedAt,
      named: new Set(podsByKey().keys()),
      isRequested: request !== undefined,
      age: clock.now() - madeAt(keys[0], this.#stored.secret),
      rotateAfter: secret.rotationDays * DAY_MILLISECONDS,
    });
    switch (step.type) {
      case 'Keep':
        return;
      case 'Blocked':
        logger.warn({ reason: step.reason }, 'Could not add a signing key');
        return;
      case 'Add':
        return this.#write([secret.newSigningKey(), ...keys], request);
      case 'Remove': {
        const [newest, ...older] = keys;
        return this.#write([newest, ...older.filter(({ id }) => !step.ids.includes(id))], undefined);
      }
    }
  }

  async #write(keys: SigningKeys, request: string | undefined): Promise<void> {
    const changed = withSigningKeys(this.#stored.secret, keys, request);
    this.#take(await this.#inTime(this.#options.secret.update(changed)));
  }

  #inTime<T>(call: Promise<T>): Promise<T> {
    return within(this.#options.clock, CALL_MILLISECONDS, call);
  }
}
