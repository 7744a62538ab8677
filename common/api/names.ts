/** Every name that this product puts on something in a cluster. */

export const GROUP = 'pilotlight.dev';
export const VERSION = 'v1alpha1';
export const API_VERSION = `${GROUP}/${VERSION}`;

export const LABELS = {
  function: `${GROUP}/function`,
  revision: `${GROUP}/revision`,
  name: 'app.kubernetes.io/name',
  instance: 'app.kubernetes.io/instance',
  component: 'app.kubernetes.io/component',
  managedBy: 'app.kubernetes.io/managed-by',
  partOf: 'app.kubernetes.io/part-of',
} as const;

/** Value of `app.kubernetes.io/name` and `part-of`. */
export const PRODUCT = 'pilotlight';

/** Value of `app.kubernetes.io/managed-by` on everything that the operator makes. */
export const MANAGER = 'pilotlight-operator';

/** Values of `app.kubernetes.io/component`. */
export const COMPONENTS = { operator: 'operator', gateway: 'gateway', runtime: 'runtime' } as const;

/** Of all that the operator makes for a function. */
export function functionLabels(functionName: string): Readonly<Record<string, string>> {
  return {
    [LABELS.function]: functionName,
    [LABELS.name]: PRODUCT,
    [LABELS.instance]: functionName,
    [LABELS.managedBy]: MANAGER,
    [LABELS.partOf]: PRODUCT,
  };
}

/** What tells the runtime's pods of all functions from every other pod of a cluster. */
export const RUNTIME_POD_LABELS = { [LABELS.component]: COMPONENTS.runtime, [LABELS.managedBy]: MANAGER } as const;

/** `digits-00001`: sorts by age, and leaves room for a pod's `-<ordinal>` within 63 characters. */
export function revisionName(functionName: string, generation: number): string {
  return `${functionName}-${String(generation).padStart(5, '0')}`;
}

/** The generation in a revision's name; undefined if it is no name of this function's revisions. */
export function revisionGeneration(functionName: string, revision: string): number | undefined {
  if (!revision.startsWith(`${functionName}-`)) return undefined;
  const digits = revision.slice(functionName.length + 1);
  return /^\d{5,9}$/.test(digits) ? Number(digits) : undefined;
}

/** The lowest free ordinal names the next pod, so that a stale cache or a second leader gets a 409 instead of a second pod. */
export function podName(revision: string, ordinal: number): string {
  return `${revision}-${ordinal}`;
}
