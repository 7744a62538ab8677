/** What controllers see of the cluster: the newest state that the watches have brought, never the API itself. */
import type { ModelFunction, ModelRevision } from '../../common/api/kinds.ts';
import type { Pod, Service } from '../cluster/resources.ts';

export interface Observed {
  function(namespace: string, name: string): ModelFunction | undefined;
  revision(namespace: string, name: string): ModelRevision | undefined;
  /** By what they say of themselves; whether the function owns them is another question. */
  revisionsOf(namespace: string, functionName: string): readonly ModelRevision[];
  /** By the label; whether the revision owns them is another question. */
  podsOf(namespace: string, revision: string): readonly Pod[];
  /** By name, of those with the operator's label; whether the function owns them is another question. */
  servicesOf(namespace: string, functionName: string): readonly Service[];
}
