/** The release under test, as `make deploy` installs it. */
import { getObject } from './objects.ts';
import { DEPLOYMENTS, type Deployment } from './resources.ts';

export const SYSTEM_NAMESPACE = 'pilotlight-system';
export const OPERATOR = 'pilotlight-operator';
export const GATEWAY = 'pilotlight-gateway';

/** Throws if it is not installed. */
export async function deployment(name: typeof OPERATOR | typeof GATEWAY): Promise<Deployment> {
  const found = await getObject(DEPLOYMENTS, { namespace: SYSTEM_NAMESPACE, name });
  if (found !== undefined) return found;
  throw new Error(`Deployment ${SYSTEM_NAMESPACE}/${name} does not exist: run "make images deploy" first.`);
}
