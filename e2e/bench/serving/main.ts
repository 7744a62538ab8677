/**
 * Figures of serving on the cluster of $KUBECONFIG, in which Pilotlight is installed, beside those of Knative Serving by turns where that is installed too:
 * `node main.ts [PART[=COUNT]...]`. `cold` and `load` are all that begin with it. It fails if a part measured nothing, or an
 * answer was wrong; a goal that is missed is printed.
 */
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { bundle } from '../in-cluster/bundle.ts';
import { prepareWorkplace } from '../in-cluster/workplace.ts';
import { cold } from './cold.ts';
import { findKnative } from './knative.ts';
import { mixed, ramp, rollout, steady } from './load.ts';
import type { Part } from './part.ts';
import { measureWarm } from './warm.ts';

const PARTS: Readonly<Record<string, Part>> = {
  warm: { count: 2, measure: measureWarm },
  'cold-1': { count: 3, measure: cold(1) },
  'cold-5': { count: 2, measure: cold(5) },
  'cold-25': { count: 1, measure: cold(25) },
  'cold-model-1': { count: 2, measure: cold(1, 'model') },
  'cold-model-5': { count: 2, measure: cold(5, 'model') },
  'load-steady': { count: 2, measure: steady },
  'load-ramp': { count: 1, measure: ramp },
  'load-rollout': { count: 1, measure: rollout },
  'load-mixed': { count: 1, measure: mixed },
};

const asked = process.argv.slice(2).flatMap((argument) => argument.split(','));
const chosen = (asked.length > 0 ? asked : Object.keys(PARTS)).flatMap(choose);
const script = await bundle({ entryPoints: [join(import.meta.dirname, 'inside', 'main.ts')] });
const knative = await findKnative();
const beside =
  knative === undefined ? 'Knative is not installed: no figures beside ours' : `Knative Serving ${knative.version}`;
process.stdout.write(`${new Date().toISOString()}, Node ${process.version}. ${beside}.\n\n`);

for (const { name, part, count } of chosen) {
  const begun = performance.now();
  const before = loadavg()[0] ?? 0;
  // One for each part: what one leaves behind must not be in the way of the next.
  const workplace = await prepareWorkplace();
  try {
    const lines = await part.measure({ workplace, knative, script }, count);
    const load = `load average of this machine ${before.toFixed(1)} before, ${(loadavg()[0] ?? 0).toFixed(1)} after`;
    process.stdout.write(`${lines.join('\n')}\n  (${load})\n\n`);
  } catch (error) {
    process.exitCode = 1;
    process.stdout.write(`${name} failed: ${error instanceof Error ? error.message : String(error)}\n\n`);
  } finally {
    await workplace.remove();
  }
  process.stderr.write(`${name} took ${((performance.now() - begun) / 1000).toFixed(0)} s\n`);
}

function choose(choice: string): { readonly name: string; readonly part: Part; readonly count: number }[] {
  const [wanted = '', count] = choice.split('=');
  const found = Object.entries(PARTS).filter(([name]) => name === wanted || name.startsWith(`${wanted}-`));
  const often = count === undefined ? undefined : Number(count);
  if (found.length === 0 || (often !== undefined && !(Number.isInteger(often) && often > 0))) {
    process.stderr.write(
      `There is no part "${choice}"; there are ${Object.keys(PARTS).join(', ')}, warm=3: so often.\n`,
    );
    process.exit(2);
  }
  return found.map(([name, part]) => ({ name, part, count: often ?? part.count }));
}
