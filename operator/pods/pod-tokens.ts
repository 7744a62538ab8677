/** What a pod was told to prove itself by, as its own specification has it: the key that made its tokens may sign no new ones any more. */
import { RUNTIME_ENVIRONMENT } from '../../common/wire/runtime-environment.ts';
import type { Pod } from '../cluster/resources.ts';

/** What a drain request must carry; undefined if the pod has none. */
export function drainToken(pod: Pod): string | undefined {
  return environmentValue(pod, RUNTIME_ENVIRONMENT.drainToken);
}

/** Id of the key that its tokens were made with. */
export function signingKeyId(pod: Pod): string | undefined {
  const token = environmentValue(pod, RUNTIME_ENVIRONMENT.announceToken);
  const dot = token?.indexOf('.') ?? -1;
  return dot < 1 ? undefined : token?.slice(0, dot);
}

function environmentValue({ spec }: Pod, variable: string): string | undefined {
  for (const { env } of spec.containers) {
    const found = env?.find(({ name }) => name === variable);
    if (found !== undefined) return found.value;
  }
  return undefined;
}
