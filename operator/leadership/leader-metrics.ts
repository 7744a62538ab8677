/** Metrics of the election. */
import { Counter, Gauge, type Registry } from 'prom-client';

export class LeaderMetrics {
  readonly #leads: Gauge;
  readonly #transitions: Counter;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#leads = new Gauge({ name: 'pilotlight_operator_leader', help: '1 while this replica leads.', registers });
    this.#transitions = new Counter({
      name: 'pilotlight_operator_leader_transitions_total',
      help: 'Times that this replica took the lead.',
      registers,
    });
  }

  began(): void {
    this.#leads.set(1);
    this.#transitions.inc();
  }

  ended(): void {
    this.#leads.set(0);
  }
}
