/** How much of each resource a pod takes from a node, and whether a node has it left. */
import { parseQuantity } from '../../../common/api/quantity.ts';
import type { Pod } from '../resources.ts';

/** By resource name, in units of 10^-9; `pods` counts the pod itself. */
export type Amounts = ReadonlyMap<string, bigint>;

/** Throws for a quantity that is none. */
export function toAmounts(quantities: Readonly<Record<string, string>>): Map<string, bigint> {
  return new Map(
    Object.entries(quantities).map(([name, quantity]) => {
      const amount = parseQuantity(quantity);
      if (amount === undefined)
        throw new RangeError(`${name}: "${quantity}" must be a quantity such as 2, 500m or 1Gi`);
      return [name, amount];
    }),
  );
}

export function podRequests({ spec }: Pod): Amounts {
  const amounts = toAmounts({ pods: '1' });
  for (const { resources } of spec.containers)
    for (const [name, amount] of toAmounts(resources?.requests ?? {}))
      amounts.set(name, (amounts.get(name) ?? 0n) + amount);
  return amounts;
}

/**
 * The resources that a node lacks for these requests. Of a resource that the capacity does not name there is no limit if it is one of Kubernetes'
 * own (cpu, memory), and nothing if it is an extended one (nvidia.com/gpu).
 */
export function lackingResources(requests: Amounts, used: Amounts, capacity: Amounts): string[] {
  return [...requests]
    .filter(([name, amount]) => {
      const limit = capacity.get(name) ?? (name.includes('/') ? 0n : undefined);
      return limit !== undefined && amount > 0n && amount + (used.get(name) ?? 0n) > limit;
    })
    .map(([name]) => name);
}
