/** The bare server's thread: runs the model on the floats at the end of each body that it is handed, one after the other, and hands back what came out. */
import { parentPort, workerData } from 'node:worker_threads';
import { createSession } from '../../../runtime/model/native-session.ts';

export interface BareSession {
  readonly path: string;
  readonly input: { readonly name: string; readonly shape: readonly number[] };
}

const { path, input } = workerData as BareSession;
const session = createSession(path, { intraOpNumThreads: 1, interOpNumThreads: 1 });
const dims = input.shape;
const bytes = 4 * dims.reduce((product, size) => product * size, 1);
const [{ name: output } = { name: '' }] = session.outputMetadata;

parentPort?.on('message', ({ buffer, byteOffset, byteLength }: Uint8Array<ArrayBuffer>) => {
  const end = byteOffset + byteLength;
  const data = new Float32Array(buffer.slice(end - bytes, end));
  const feed = { type: 'float32', dims, data, location: 'cpu' } as never;
  const { [output]: value } = session.run({ [input.name]: feed }, { [output]: null }, {});
  const { buffer: result } = value?.data as Float32Array<ArrayBuffer>;
  parentPort?.postMessage(result, [result]);
});
