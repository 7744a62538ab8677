/** Functions of the digits example: makes them, waits until they are proven and at zero, and calls them as any caller in the cluster does. */
import expected from '../../../../examples/digits/expected.json' with { type: 'json' };
import question from '../../../../examples/digits/request.json' with { type: 'json' };
import { compareOutputs, type JsonAnswer } from '../../../../examples/compare-outputs.ts';
import { callApi, NAMESPACE } from '../../in-cluster/inside/api.ts';
import { podsOf, untilGone, untilPods } from '../../in-cluster/inside/pods.ts';
import { postOnce } from '../../in-cluster/inside/post-once.ts';

/** Seconds, the shortest there is. */
export const STABLE_WINDOW = 6;
const MODEL = 'file:/opt/pilotlight/examples/digits/model.onnx';
const SHA256 = 'aced55855aeaf569b6220d0dae7a00da91d41edd3c9cde3f9778e031f5b33e5a';
const FUNCTIONS = `/apis/pilotlight.dev/v1alpha1/namespaces/${NAMESPACE}/modelfunctions`;
const BODY = JSON.stringify(question);
const HEADERS = { 'content-type': 'application/json' };

/** Milliseconds since just before the call. */
export interface Wake {
  /** A watch showed the pod. */
  readonly podSeen: number;
  readonly firstByte: number;
  /** The whole answer, which was compared with the expected one. */
  readonly answer: number;
  /** Milliseconds by name, from the header server-timing. */
  readonly phases: Readonly<Record<string, number>>;
}

/** Resolves once its first pod, which proves that it works, has come and gone. */
export async function makeFunction(name: string): Promise<void> {
  await callApi('POST', FUNCTIONS, {
    apiVersion: 'pilotlight.dev/v1alpha1',
    kind: 'ModelFunction',
    metadata: { name },
    spec: {
      model: { uri: MODEL, sha256: SHA256 },
      scaling: { stableWindowSeconds: STABLE_WINDOW, maxReplicas: 1 },
    },
  });
  await untilPods(`a first pod of ${name}`, (pods) => podsOf(pods, name)[0]);
  await untilGone(name);
  const proven = await callApi<{ readonly status?: { readonly latestReadyRevision?: string } }>(
    'GET',
    `${FUNCTIONS}/${name}`,
  );
  if (proven?.status?.latestReadyRevision === undefined)
    throw new Error(`Function ${name} did not become ready: ${JSON.stringify(proven)}`);
}

export async function deleteFunctions(names: readonly string[]): Promise<void> {
  await Promise.all(names.map((name) => callApi('DELETE', `${FUNCTIONS}/${name}`)));
}

/** Calls a function that is at zero. Rejects unless the answer is right and says that it waited for a pod. */
export async function wakeFunction(name: string): Promise<Wake> {
  const start = performance.now();
  const podSeen = untilPods(`a pod of ${name}`, (pods) => podsOf(pods, name)[0]).then(() => performance.now() - start);
  // By the name that its Service has.
  const host = `${name}.${NAMESPACE}`;
  const path = `/v2/models/${name}/infer`;
  const { status, headers, body, firstByteAt, endedAt } = await postOnce({ host, path, headers: HEADERS, body: BODY });
  if (status !== 200) throw new Error(`${name} answered ${status}: ${body.toString()}`);
  const wrong = compareOutputs(JSON.parse(body.toString()) as JsonAnswer, expected);
  if (wrong.length > 0) throw new Error(`${name} answered wrongly: ${wrong.join('; ')}`);
  if (headers['pilotlight-cold-start'] === undefined) throw new Error(`${name} was not at zero.`);
  return {
    podSeen: await podSeen,
    firstByte: firstByteAt - start,
    answer: endedAt - start,
    phases: parseTiming(String(headers['server-timing'])),
  };
}

/** `queue;dur=812.4, pod;dur=1.2` as `{queue: 812.4, pod: 1.2}`. */
function parseTiming(header: string): Record<string, number> {
  return Object.fromEntries(
    [...header.matchAll(/([\w-]+);dur=([\d.]+)/g)].map(([, name = '', value]) => [name, Number(value)]),
  );
}
