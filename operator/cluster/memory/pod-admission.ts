/** What an API server fills in and refuses in a pod. Of validation only what this product can get wrong: the rest needs a real cluster. */
import { parseQuantity } from '../../../common/api/quantity.ts';
import type { FieldCause, KubernetesObject } from '../port.ts';
import type { Container, Pod } from '../resources.ts';
import { jsonEqual } from './json.ts';
import type { Admit } from './resource-definition.ts';

export const DEFAULT_GRACE_SECONDS = 30;

/** Defaults a pod, and refuses a change of what is fixed once it exists. */
export const admitPod: Admit = (object, oldObject) => {
  const { spec } = object as { spec?: Pod['spec'] };
  if (!Array.isArray(spec?.containers) || spec.containers.length === 0)
    return { object, causes: [{ field: 'spec.containers', message: 'Required value: a pod needs a container' }] };
  const defaulted: Pod['spec'] = {
    restartPolicy: 'Always',
    terminationGracePeriodSeconds: DEFAULT_GRACE_SECONDS,
    ...spec,
    containers: spec.containers.map(withRequests),
  };
  if (oldObject !== undefined) return { object: withSpec(object, defaulted), causes: changes(defaulted, oldObject) };
  return { object: { ...withSpec(object, defaulted), status: { phase: 'Pending' } }, causes: validate(defaulted) };
};

function withSpec(object: KubernetesObject, spec: Pod['spec']): Pod {
  return { ...object, spec };
}

/** A resource with a limit and no request requests its limit; a quantity may be a number (`nvidia.com/gpu: 1`). */
function withRequests(container: Container): Container {
  if (container.resources === undefined) return container;
  const limits = mapValues(container.resources.limits ?? {}, String);
  const requests = { ...limits, ...mapValues(container.resources.requests ?? {}, String) };
  return { ...container, resources: { ...container.resources, limits, requests } };
}

function validate(spec: Pod['spec']): FieldCause[] {
  const causes: FieldCause[] = [];
  const names = new Set<string>();
  spec.containers.forEach(({ name, image, resources }, index) => {
    const field = `spec.containers[${index}]`;
    if (!/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name))
      causes.push({ field: `${field}.name`, message: `Invalid value: "${name}": must be a DNS label` });
    if (names.has(name)) causes.push({ field: `${field}.name`, message: `Duplicate value: "${name}"` });
    names.add(name);
    if (typeof image !== 'string' || image === '') causes.push({ field: `${field}.image`, message: 'Required value' });
    for (const [resource, quantity] of Object.entries(resources?.requests ?? {})) {
      if ((parseQuantity(quantity) ?? -1n) >= 0n) continue;
      const message = `Invalid value: "${quantity}": must be a quantity of 0 or more, such as 2, 500m or 1Gi`;
      causes.push({ field: `${field}.resources.requests[${resource}]`, message });
    }
  });
  return causes;
}

function changes(spec: Pod['spec'], oldObject: KubernetesObject): FieldCause[] {
  const fixed = ({ containers, ...rest }: Pod['spec']): unknown => ({
    ...rest,
    containers: containers.map((container) => ({ ...container, image: '' })),
  });
  if (jsonEqual(fixed(spec), fixed((oldObject as Pod).spec))) return [];
  return [{ field: 'spec', message: 'Forbidden: pod updates may not change fields other than containers[*].image' }];
}

function mapValues<T, U>(record: Readonly<Record<string, T>>, change: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
}
