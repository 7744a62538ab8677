import type { ObjectMeta } from '../../common/api/object.ts';

/** True if the object's controller is the one with this uid; of a former object of the same name it is not. */
export function isOwned({ ownerReferences }: ObjectMeta, uid: string | undefined): boolean {
  return ownerReferences?.some((owner) => owner.controller === true && owner.uid === uid) ?? false;
}
