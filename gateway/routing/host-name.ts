/** Which function a `host` header names. Pure; whether such a function exists is the route table's business. */

export interface FunctionAddress {
  readonly namespace: string;
  readonly name: string;
  /** `<tag>--<function>`; function names cannot contain "--". */
  readonly tag: string | undefined;
}

/** Domains that may follow `<function>.<namespace>`. */
export interface HostDomains {
  /** Of Kubernetes' DNS, usually `cluster.local`: hosts end in `.svc` or `.svc.<clusterDomain>`. */
  readonly clusterDomain: string;
  /** Of this installation; hosts end in `.<domain>`. Empty: there is none. */
  readonly domain: string;
}

/**
 * `digits.default`, `digits.default.svc`, `digits.default.svc.cluster.local`, `digits.default.<domain>`, each with an optional `<tag>--` before
 * it, any port after it and any case. Undefined: no function's host has this form.
 */
export function parseHostName(host: string, { clusterDomain, domain }: HostDomains): FunctionAddress | undefined {
  const name = withoutPort(host).toLowerCase();
  const first = name.indexOf('.');
  if (first < 1) return undefined;
  const second = name.indexOf('.', first + 1);
  const namespace = second === -1 ? name.slice(first + 1) : name.slice(first + 1, second);
  if (namespace === '') return undefined;
  if (second !== -1) {
    const rest = name.slice(second + 1);
    if (rest !== 'svc' && rest !== `svc.${clusterDomain}` && (domain === '' || rest !== domain)) return undefined;
  }
  return functionAddress(namespace, name.slice(0, first));
}

/** Splits `<tag>--<function>`. */
export function functionAddress(namespace: string, label: string): FunctionAddress {
  const dashes = label.indexOf('--');
  if (dashes < 1) return { namespace, name: label, tag: undefined };
  return { namespace, name: label.slice(dashes + 2), tag: label.slice(0, dashes) };
}

function withoutPort(host: string): string {
  const colon = host.indexOf(':');
  const name = colon === -1 ? host : host.slice(0, colon);
  // The root's dot at the end of a fully qualified name.
  return name.endsWith('.') ? name.slice(0, -1) : name;
}
