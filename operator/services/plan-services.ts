/** Decides what is to be done so that a function has its Services as they should be, and names those in the way that are not its own. Pure. */
import type { ModelFunction } from '../../common/api/kinds.ts';
import { belongsTo } from '../cluster/belongs-to.ts';
import { contains } from '../cluster/contains.ts';
import type { ObjectMeta } from '../cluster/port.ts';
import type { Service } from '../cluster/resources.ts';
import { restoredMetadata } from '../cluster/restored-metadata.ts';

export interface ServicePlan {
  readonly create: readonly Service[];
  /** As they are to be; each has the version of the one that is there. */
  readonly update: readonly Service[];
  /** Those of former tags. */
  readonly remove: readonly Service[];
  /** Names that Services of somebody else's have. */
  readonly foreign: readonly string[];
}

/**
 * | the Service of a wanted name                       | what is done                                               |
 * | there is none                                      | create it                                                  |
 * | the function's, as wanted                          | nothing; fields that nobody here sets may be as they like  |
 * | the function's, otherwise                          | update what is set here                                    |
 * | being deleted, or a former function's of this name | nothing: it goes by itself                                 |
 * | anything else                                      | nothing but to tell                                        |
 *
 * @param existing Services of the wanted names, and of others that the function may have had
 */
export function planServices(fn: ModelFunction, wanted: readonly Service[], existing: readonly Service[]): ServicePlan {
  const create: Service[] = [];
  const update: Service[] = [];
  const foreign: string[] = [];
  const byName = new Map(existing.map((service) => [service.metadata.name, service]));
  for (const service of wanted) {
    const { name } = service.metadata;
    const present = byName.get(name);
    byName.delete(name);
    if (present === undefined) create.push(service);
    else if (present.metadata.deletionTimestamp !== undefined || isFormer(present.metadata, fn)) continue;
    else if (!belongsTo(present.metadata, fn)) foreign.push(name);
    else {
      const restored = restore(present, service);
      if (restored !== undefined) update.push(restored);
    }
  }
  const remove = [...byName.values()].filter(
    ({ metadata }) => metadata.deletionTimestamp === undefined && belongsTo(metadata, fn),
  );
  return { create, update, remove, foreign };
}

/** Undefined if it is as wanted. */
function restore(present: Service, wanted: Service): Service | undefined {
  const metadata = restoredMetadata(present.metadata, wanted.metadata);
  const isRight = contains(present.spec, wanted.spec);
  if (metadata === undefined && isRight) return undefined;
  return {
    ...present,
    metadata: metadata ?? present.metadata,
    // Whole, for what belongs to another type (a clusterIP, a nodePort) is refused beside this one.
    ...(isRight || wanted.spec === undefined ? {} : { spec: wanted.spec }),
  };
}

/** The garbage collector has yet to see that its owner is gone. */
function isFormer({ ownerReferences = [] }: ObjectMeta, { kind, metadata }: ModelFunction): boolean {
  return ownerReferences.some(
    (owner) =>
      owner.controller === true && owner.kind === kind && owner.name === metadata.name && owner.uid !== metadata.uid,
  );
}
