/** Makes the Services of a function be as planned, and says what is in the way. */
import type { ModelFunction } from '../../common/api/kinds.ts';
import { deleteExactly } from '../cluster/delete-exactly.ts';
import type { Cluster } from '../cluster/port.ts';
import { refusalOf, type Refusal } from '../cluster/refusal.ts';
import { MODEL_FUNCTIONS, SERVICES } from '../cluster/resources.ts';
import { stillExists } from '../cluster/still-exists.ts';
import type { ServicePlan } from './plan-services.ts';

/** Gives why callers do not reach the function by its name, or a tag by its own; undefined if they do. */
export async function applyServices(
  cluster: Cluster,
  fn: ModelFunction,
  { create, update, remove, foreign }: ServicePlan,
): Promise<Refusal | undefined> {
  let refusal: Refusal | undefined;
  const attempt = async (write: Promise<unknown>): Promise<void> => {
    try {
      await write;
    } catch (error) {
      const why = refusalOf(error);
      if (why === undefined) throw error;
      refusal ??= why;
    }
  };
  for (const { metadata } of remove) await deleteExactly(cluster, SERVICES, metadata);
  for (const service of update) await attempt(cluster.update(SERVICES, service));
  if (create.length > 0 && (await stillExists(cluster, MODEL_FUNCTIONS, fn))) {
    for (const service of create) await attempt(cluster.create(SERVICES, service));
  }
  if (foreign.length === 0) return refusal;
  return { reason: 'NotOwned', message: notOwned(fn, foreign), mayPass: true };
}

function notOwned({ metadata: { namespace = '', name } }: ModelFunction, foreign: readonly string[]): string {
  const [services, calls, way] =
    foreign.length === 1
      ? [`Service ${foreign.join()} exists and is`, `http://${foreign.join()}.${namespace}`, 'Delete it']
      : [`Services ${foreign.join(', ')} exist and are`, 'their names', 'Delete them'];
  return (
    `${services} somebody else's, so calls to ${calls} do not come here. ${way}, or choose another name for the function or its tag. ` +
    `The path /functions/${namespace}/${name} of the gateway serves meanwhile`
  );
}
