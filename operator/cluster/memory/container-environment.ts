/** Resolves a container's environment as a kubelet does: literal values with `$(NAME)`, fields of the pod, and keys of Secrets. */
import type { Container, EnvironmentVariable, Pod, Secret } from '../resources.ts';

export type ResolvedEnvironment =
  | { readonly environment: Readonly<Record<string, string>> }
  /** The container cannot be made yet; it waits as CreateContainerConfigError until this changes. */
  | { readonly problem: string };

export function resolveEnvironment(
  pod: Pod,
  container: Container,
  podIP: string,
  secret: (name: string) => Secret | undefined,
): ResolvedEnvironment {
  const environment: Record<string, string> = {};
  for (const variable of container.env ?? []) {
    const result = resolveVariable(variable, pod, podIP, secret, environment);
    if ('problem' in result) return result;
    if (result.value !== undefined) environment[variable.name] = result.value;
  }
  return { environment };
}

type Resolved = { readonly value: string | undefined } | { readonly problem: string };

function resolveVariable(
  { name, value = '', valueFrom }: EnvironmentVariable,
  pod: Pod,
  podIP: string,
  secret: (name: string) => Secret | undefined,
  earlier: Readonly<Record<string, string>>,
): Resolved {
  if (valueFrom === undefined) return { value: expand(value, earlier) };
  if (valueFrom.fieldRef !== undefined) return field(pod, podIP, valueFrom.fieldRef.fieldPath);
  const reference = valueFrom.secretKeyRef;
  if (reference === undefined)
    return {
      problem: `env ${name}: this node resolves value, fieldRef and secretKeyRef, not ${JSON.stringify(valueFrom)}`,
    };
  const found = secret(reference.name);
  const data = ownValue(found?.data, reference.key);
  if (data !== undefined) return { value: Buffer.from(data, 'base64').toString() };
  if (reference.optional === true) return { value: undefined };
  if (found === undefined) return { problem: `secret "${reference.name}" not found` };
  return { problem: `couldn't find key ${reference.key} in Secret ${pod.metadata.namespace ?? ''}/${reference.name}` };
}

function field({ metadata, spec }: Pod, podIP: string, path: string): Resolved {
  switch (path) {
    case 'metadata.name':
      return { value: metadata.name };
    case 'metadata.namespace':
      return { value: metadata.namespace };
    case 'metadata.uid':
      return { value: metadata.uid };
    case 'spec.nodeName':
      return { value: spec.nodeName };
    case 'status.podIP':
    case 'status.hostIP':
      return { value: podIP };
    default:
      return { problem: `fieldRef ${path} is not supported by this node` };
  }
}

/** `$(NAME)` is the value of an earlier variable, and stays as it is where there is none; `$$` is a dollar. */
function expand(text: string, variables: Readonly<Record<string, string>>): string {
  return text.replace(/\$\$|\$\(([^)]*)\)/g, (match, name: string | undefined) =>
    name === undefined ? '$' : (ownValue(variables, name) ?? match),
  );
}

/** A user may name a variable or a key `constructor`. */
function ownValue(record: Readonly<Record<string, string>> | undefined, key: string): string | undefined {
  return record !== undefined && Object.hasOwn(record, key) ? record[key] : undefined;
}
