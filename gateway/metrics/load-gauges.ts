/** What a gateway has to do now, read when Prometheus asks. */
import { Gauge, type Registry } from 'prom-client';
import type { TalliedRevision } from './request-metrics.ts';
import { REVISION_LABELS } from './revision-labels.ts';

export interface RevisionLoad extends TalliedRevision {
  readonly inFlight: number;
  readonly queued: number;
  readonly queuedBytes: number;
}

/** Of other gateways, now. */
export interface ClaimLoad {
  readonly waiting: number;
  readonly granted: number;
}

export interface GatewayLoad {
  readonly revisions: Iterable<RevisionLoad>;
  readonly heldBytes: number;
  readonly streams: number;
  readonly peers: number;
  readonly claims: ClaimLoad;
  readonly epoch: number;
  /** Milliseconds of the Unix epoch; undefined before any routes. */
  readonly confirmedAt: number | undefined;
}

export function registerLoadGauges(registry: Registry, load: () => GatewayLoad): void {
  const registers = [registry];
  const perRevision = (name: string, help: string, value: (revision: RevisionLoad) => number): void => {
    new Gauge({
      name: `pilotlight_gateway_${name}`,
      help,
      labelNames: REVISION_LABELS,
      registers,
      collect() {
        this.reset();
        for (const revision of load().revisions) {
          this.set(revision.labels, value(revision));
        }
      },
    });
  };
  perRevision('requests_in_flight', 'Requests that pods have now.', ({ inFlight }) => inFlight);
  perRevision('requests_queued', 'Requests that are held now.', ({ queued }) => queued);
  perRevision('queued_bytes', 'Bytes of the bodies of queued requests.', ({ queuedBytes }) => queuedBytes);
  new Gauge({
    name: 'pilotlight_gateway_held_bytes',
    help: 'Bytes of the bodies of requests in memory, of all functions together.',
    registers,
    collect() {
      this.set(load().heldBytes);
    },
  });
  new Gauge({
    name: 'pilotlight_gateway_operator_streams',
    help: 'Operators that are connected.',
    registers,
    collect() {
      this.set(load().streams);
    },
  });
  new Gauge({
    name: 'pilotlight_gateway_peers',
    help: 'Other gateways whose queues are used, connected.',
    registers,
    collect() {
      this.set(load().peers);
    },
  });
  new Gauge({
    name: 'pilotlight_gateway_claims',
    help: 'Claims of other gateways that wait here for a slot, or have one, now.',
    labelNames: ['state'],
    registers,
    collect() {
      const { waiting, granted } = load().claims;
      this.set({ state: 'waiting' }, waiting);
      this.set({ state: 'granted' }, granted);
    },
  });
  new Gauge({
    name: 'pilotlight_gateway_routes_epoch',
    help: 'Epoch of the routes in use; 0 before the first.',
    registers,
    collect() {
      this.set(load().epoch);
    },
  });
  new Gauge({
    name: 'pilotlight_gateway_routes_confirmed_timestamp_seconds',
    help: 'When the routes in use were last known to be the latest: now, while an operator that leads is connected; 0 before the first.',
    registers,
    collect() {
      this.set((load().confirmedAt ?? 0) / 1_000);
    },
  });
}
