/** The other way to name a function, for callers that cannot choose the host: `/functions/<namespace>/<function>/…`. Pure. */
import { functionAddress, type FunctionAddress } from './host-name.ts';

const PREFIX = '/functions/';

export interface FunctionPath extends FunctionAddress {
  /** What is left for the function: path and query, beginning with a slash. */
  readonly target: string;
}

/** Undefined if the request target does not begin with this prefix and both names. */
export function parseFunctionPath(target: string): FunctionPath | undefined {
  if (!target.startsWith(PREFIX)) return undefined;
  const query = target.indexOf('?');
  const pathEnd = query === -1 ? target.length : query;
  const namespaceEnd = target.indexOf('/', PREFIX.length);
  if (namespaceEnd === -1 || namespaceEnd >= pathEnd) return undefined;
  const slash = target.indexOf('/', namespaceEnd + 1);
  const nameEnd = slash === -1 || slash > pathEnd ? pathEnd : slash;
  const namespace = target.slice(PREFIX.length, namespaceEnd);
  const label = target.slice(namespaceEnd + 1, nameEnd);
  if (namespace === '' || label === '') return undefined;
  const rest = target.slice(nameEnd);
  return { ...functionAddress(namespace, label), target: rest.startsWith('/') ? rest : `/${rest}` };
}
