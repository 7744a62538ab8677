/** The part of the benchmark that runs in the cluster, as a pod: `node FILE PART IMAGE PLAN`. It prints lines of JSON, see report.ts. */
import { measureCold, type ColdPlan } from './cold.ts';
import { measureLoad, type LoadPlan } from './load.ts';
import { measureWarm, type WarmPlan } from './warm.ts';

const [part = '', image = '', plan = ''] = process.argv.slice(2);
const PARTS: Readonly<Record<string, () => Promise<void>>> = {
  warm: () => measureWarm(JSON.parse(plan) as WarmPlan),
  cold: () => measureCold(image, JSON.parse(plan) as ColdPlan),
  load: () => measureLoad(JSON.parse(plan) as LoadPlan),
};
const run = PARTS[part];
if (run === undefined) throw new Error(`There is no part "${part}".`);
await run();
process.exit(0);
