/** Metrics of the signing keys, read when they are asked for. */
import { Gauge, type Registry } from 'prom-client';

export interface SigningKeyReading {
  /** When the key that signs was made, in milliseconds since the epoch. */
  readonly madeAt: number;
  /** How many pods have tokens of each key, by id. */
  readonly pods: ReadonlyMap<string, number>;
}

export function signingKeyMetrics(registry: Registry, read: () => SigningKeyReading): void {
  const registers = [registry];
  new Gauge({
    name: 'pilotlight_signing_key_created_timestamp_seconds',
    help: 'When the key was made that signs the tokens of new pods.',
    registers,
    collect() {
      this.set(read().madeAt / 1000);
    },
  });
  new Gauge({
    name: 'pilotlight_signing_key_pods',
    help: 'Pods with tokens of each signing key.',
    labelNames: ['key'],
    registers,
    collect() {
      this.reset();
      for (const [key, pods] of read().pods) this.set({ key }, pods);
    },
  });
}
