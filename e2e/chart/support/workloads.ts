/** Finds things in a rendered chart. */
import type { Container, Pod } from '../../../operator/cluster/resources.ts';
import type { Manifest } from './chart.ts';

export interface Workload extends Manifest {
  readonly spec: {
    readonly replicas?: number;
    readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
    readonly template: {
      readonly metadata: Required<Pick<Manifest['metadata'], 'labels' | 'annotations'>>;
      readonly spec: Pod['spec'];
    };
  };
}

/** Throws if there is none. */
export function find(manifests: readonly Manifest[], kind: string, name: string): Manifest {
  const found = manifests.find((manifest) => manifest.kind === kind && manifest.metadata.name === name);
  if (found === undefined) throw new Error(`The chart renders no ${kind} ${name}.`);
  return found;
}

export function deployment(manifests: readonly Manifest[], component: 'operator' | 'gateway'): Workload {
  return find(manifests, 'Deployment', `pilotlight-${component}`) as Workload;
}

/** Its only container. */
export function container({ spec }: Workload): Container {
  const [one, ...others] = spec.template.spec.containers;
  if (one === undefined || others.length > 0) throw new Error('The pod must have one container.');
  return one;
}

/** Of its only container: each variable's value, or where that comes from. */
export function environment(workload: Workload): Record<string, unknown> {
  return Object.fromEntries(
    (container(workload).env ?? []).map(({ name, value, valueFrom }) => [name, value ?? valueFrom]),
  );
}
