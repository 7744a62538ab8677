/** The pods of the benchmark's own namespace, as a watch shows them: how many there are, ending ones included, and when each came and went. */
import { callApi, NAMESPACE, watchApi } from './api.ts';

export interface Pod {
  readonly metadata: {
    readonly name: string;
    readonly resourceVersion: string;
    readonly deletionTimestamp?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly status: { readonly podIP?: string; readonly phase?: string };
}

interface PodList {
  readonly metadata: { readonly resourceVersion: string };
  readonly items: readonly Pod[];
}

export const PODS = `/api/v1/namespaces/${NAMESPACE}/pods`;
export const FUNCTION_LABEL = 'pilotlight.dev/function';
/** Pods of others may take a minute to go. */
const DEADLINE_MILLISECONDS = 180_000;

const present = new Map<string, Pod>();
const lookers = new Set<() => void>();

export async function followPods(): Promise<void> {
  const { metadata, items } = await listPods();
  for (const pod of items) present.set(pod.metadata.name, pod);
  watchApi(`${PODS}?watch=1&resourceVersion=${metadata.resourceVersion}`, (event) => {
    const { type, object } = event as { readonly type: string; readonly object: Pod };
    if (type === 'DELETED') present.delete(object.metadata.name);
    else present.set(object.metadata.name, object);
    for (const look of lookers) look();
  });
}

/** Resolves in the very moment in which `look` finds something in the pods. */
export function untilPods<Found>(
  what: string,
  look: (pods: ReadonlyMap<string, Pod>) => Found | undefined,
): Promise<Found> {
  return new Promise((resolve, reject) => {
    const check = (): void => {
      const found = look(present);
      if (found === undefined) return;
      clearTimeout(timer);
      lookers.delete(check);
      resolve(found);
    };
    const timer = setTimeout(() => {
      lookers.delete(check);
      reject(new Error(`Not within ${DEADLINE_MILLISECONDS} ms: ${what}. Pods: ${[...present.keys()].join()}`));
    }, DEADLINE_MILLISECONDS);
    lookers.add(check);
    check();
  });
}

export function podsOf(pods: ReadonlyMap<string, Pod>, functionName: string): Pod[] {
  return [...pods.values()].filter(({ metadata }) => metadata.labels?.[FUNCTION_LABEL] === functionName);
}

export function untilGone(functionName: string): Promise<true> {
  return untilPods(`no pod of ${functionName}`, (pods) => (podsOf(pods, functionName).length === 0 ? true : undefined));
}

/** Asks the API server itself, for a watch may lag: a pod that is still ending would make a cold start of a warm one. */
export async function assertNone(counts: (pod: Pod) => boolean = () => true): Promise<void> {
  const left = others((await listPods()).items).filter(counts);
  if (left.length > 0) throw new Error(`There are still pods: ${left.map(({ metadata }) => metadata.name).join()}`);
}

/** All but the one that this runs in. */
export function others(pods: readonly Pod[]): readonly Pod[] {
  return pods.filter(({ metadata }) => metadata.name !== process.env['HOSTNAME']);
}

async function listPods(): Promise<PodList> {
  const list = await callApi<PodList>('GET', PODS);
  if (list === undefined) throw new Error(`There is no namespace ${NAMESPACE}.`);
  return list;
}
