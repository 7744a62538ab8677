/** What Knative runs where cold starts are measured. */
import { LABELS, RUNTIME_POD_LABELS } from '../../../common/api/names.ts';
import type { Container } from '../../../operator/cluster/resources.ts';
import { listObjects } from '../../cluster/support/objects.ts';
import { RUNNING_PODS } from '../../cluster/support/resources.ts';
import type { RivalAnswer } from './inside/cold.ts';
import { twinContainer } from './knative-twin.ts';

/** A program that does nothing, which favours Knative, or the very runtime and model of the functions. */
export type RivalKind = 'program' | 'model';

export interface Rival {
  readonly container: (image: string) => Omit<Container, 'name'>;
  readonly answers: RivalAnswer;
}

const PORT = 8080;
const ANSWER = 'ok';
/** Listens at once, which no runtime can. As the first process of its container it ends by SIGTERM only if it says so. */
const PROGRAM = `process.on('SIGTERM', () => process.exit(0));
require('node:http').createServer((request, response) => {
  request.resume().on('end', () => response.end('${ANSWER}'));
}).listen(${PORT});`;

/** Of functions in the namespace of which the last one has just become ready. */
export function rivalOf(kind: RivalKind, namespace: string): Promise<Rival> {
  return kind === 'model' ? sameModel(namespace) : Promise.resolve(BARE);
}

const BARE: Rival = {
  container: (image) => ({
    image,
    imagePullPolicy: 'IfNotPresent',
    command: ['node', '-e', PROGRAM],
    ports: [{ containerPort: PORT }],
  }),
  answers: { text: ANSWER },
};

async function sameModel(namespace: string): Promise<Rival> {
  const [pod] = (await listObjects(RUNNING_PODS, { namespace, labels: RUNTIME_POD_LABELS })).objects;
  const model = pod?.metadata.labels?.[LABELS.function];
  if (pod === undefined || model === undefined) throw new Error(`There is no pod of a function in ${namespace}.`);
  return { container: (image) => twinContainer(image, pod.spec.containers[0]), answers: { model } };
}
