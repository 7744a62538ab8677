/**
 * The model in the bare library, without a server: the floor of what a request can cost. Takes the model's path, its input's name and the input's
 * shape as JSON. For each line on its standard input, a number of milliseconds, it runs one row as often as fits, and prints what that took.
 */
import { createInterface } from 'node:readline';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { makeRow } from './requests.ts';

const [path = '', name = '', shape = '[]'] = process.argv.slice(2);
const input = { name, shape: JSON.parse(shape) as number[] };
const row = makeRow({ name: '', input });
const session = await InferenceSession.create(path, { intraOpNumThreads: 1, interOpNumThreads: 1 });

for await (const milliseconds of createInterface(process.stdin)) {
  const latencies: number[] = [];
  const before = process.cpuUsage();
  const end = performance.now() + Number(milliseconds);
  for (let now = performance.now(); now < end;) {
    await session.run({ [name]: new Tensor('float32', row, input.shape) });
    const done = performance.now();
    latencies.push(done - now);
    now = done;
  }
  const { user, system } = process.cpuUsage(before);
  latencies.sort((a, b) => a - b);
  const p50 = latencies[Math.floor(latencies.length / 2)];
  console.log(JSON.stringify({ cpuMicroseconds: (user + system) / latencies.length, p50 }));
}
