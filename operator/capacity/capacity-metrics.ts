/** What is left of each budget, read when Prometheus asks. */
import { Gauge, type Registry } from 'prom-client';
import type { BudgetState } from './capacity.ts';

/** `state` gives nothing while another replica leads, or each unit would be counted twice. */
export function capacityMetrics(registry: Registry, state: () => readonly BudgetState[]): void {
  const gauge = (name: string, help: string, valueOf: (budget: BudgetState) => number): void => {
    new Gauge({
      name,
      help,
      labelNames: ['resource', 'namespace'] as const,
      registers: [registry],
      collect() {
        this.reset();
        for (const budget of state()) {
          this.set({ resource: budget.resource, namespace: budget.namespace ?? '' }, valueOf(budget));
        }
      },
    });
  };
  gauge('pilotlight_budget_limit', 'Units of the resource that pods may have.', ({ limit }) => limit);
  gauge('pilotlight_budget_held', 'Units that pods have, those that terminate included.', ({ held }) => held);
  gauge('pilotlight_budget_waiting', 'Units that replicas wait for.', ({ waiting }) => waiting);
}
