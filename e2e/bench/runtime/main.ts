/**
 * What the runtime costs and how it stands beside others, all in one run: servers by turns on one core, the client on the other. Takes the parts to
 * measure, all of them if none is named. Prints tables to standard output and progress to standard error. Needs Linux and two cores.
 */
import { availableParallelism, loadavg } from 'node:os';
import { measureBatching } from './batching.ts';
import { Bench } from './bench.ts';
import { measureClient } from './client.ts';
import { measureDelivery } from './delivery.ts';
import { measureOpenLoop } from './open-loop.ts';
import { measureOverhead } from './overhead.ts';
import { measurePeers } from './peers.ts';
import { pinThisProcess } from '../../server/measured-process.ts';

const PARTS: Readonly<Record<string, (bench: Bench) => Promise<void>>> = {
  client: measureClient,
  overhead: measureOverhead,
  batching: measureBatching,
  peers: measurePeers,
  open: measureOpenLoop,
  delivery: measureDelivery,
};

const asked = process.argv.slice(2).flatMap((argument) => argument.split(','));
const unknown = asked.filter((part) => !Object.hasOwn(PARTS, part));
if (unknown.length > 0) {
  console.error(`There is no part ${unknown.join(', ')}; the parts are ${Object.keys(PARTS).join(', ')}.`);
  process.exit(2);
}
if (availableParallelism() < 2) {
  console.error('Two cores are needed: one for the servers and one for the client.');
  process.exit(2);
}

// Nobody's requests pay for ONNX Runtime's reports to its maker.
process.env['ORT_DISABLE_TELEMETRY'] = '1';

const begun = performance.now();
process.stdout.write(`Node ${process.version}, load average ${loadavg()[0]?.toFixed(1) ?? '?'} at the begin\n`);
const bench = new Bench();
try {
  pinThisProcess();
  for (const [part, measure] of Object.entries(PARTS)) {
    if (asked.length > 0 && !asked.includes(part)) continue;
    const start = performance.now();
    await measure(bench);
    bench.progress(`${part} took ${((performance.now() - start) / 1000).toFixed(0)} s`);
  }
  bench.reportGoals();
} finally {
  await bench.close();
}
process.stdout.write(`\nAll of it took ${((performance.now() - begun) / 60_000).toFixed(1)} minutes.\n`);
