/**
 * The part of the benchmark that runs in the cluster, as a pod: `node FILE PART IMAGE ROUNDS`. It measures floors and functions by turns, and prints
 * lines of JSON.
 */
import { listenAtHome, removeBarePods, startBarePod, type BareStart } from '../../in-cluster/inside/bare-pods.ts';
import { assertNone, followPods, untilGone } from '../../in-cluster/inside/pods.ts';
import { quietMoment, withNodeCpu } from '../../in-cluster/inside/quiet-moment.ts';
import { deleteFunctions, makeFunction, wakeFunction, type Wake } from './functions.ts';

export interface ColdStartRound {
  /** The node had nothing else to do when both began. */
  readonly quiet: boolean;
  readonly bare: BareStart;
  readonly wake: Wake;
  /** Milliseconds from the end of the answer until no pod was left. */
  readonly toZero: number;
}

export interface BurstRound {
  readonly bare: readonly number[];
  readonly functions: readonly number[];
  /** Milliseconds of the whole node's CPU until the last of ten was there. */
  readonly cpu: { readonly bare: number; readonly functions: number };
}

/** A line on standard output. */
export type Report =
  { readonly progress: string } | { readonly coldStart: ColdStartRound } | { readonly burst: BurstRound };

const [part = '', image = '', count = ''] = process.argv.slice(2);
const number = Number(count);
const PARTS: Readonly<Record<string, () => Promise<void>>> = {
  'cold-start': coldStarts,
  burst: bursts,
  idle: idleFunctions,
};
await Promise.all([followPods(), listenAtHome()]);
const run = PARTS[part];
if (run === undefined) throw new Error(`There is no part "${part}".`);
await run();
process.exit(0);

async function coldStarts(): Promise<void> {
  await makeFunction('digits');
  // The first round of each finds caches cold, of the node and of this process, so it is not counted.
  for (let round = 0; round <= number; round++) {
    const bareQuiet = await quietMoment();
    const bare = await startBarePod(`bare-${round}`, image);
    await removeBarePods([`bare-${round}`]);
    const quiet = await quietMoment();
    await assertNone();
    const wake = await wakeFunction('digits');
    const answered = performance.now();
    await untilGone('digits');
    const toZero = performance.now() - answered;
    progress(`round ${round} of ${number}: bare ${bare.calledHome.toFixed(0)}, function ${wake.firstByte.toFixed(0)}`);
    if (round > 0) report({ coldStart: { quiet: bareQuiet && quiet, bare, wake, toZero } });
  }
  await deleteFunctions(['digits']);
}

async function bursts(): Promise<void> {
  const names = Array.from({ length: 10 }, (_, index) => `burst-${index}`);
  await Promise.all(names.map(makeFunction));
  for (let round = 0; round <= number; round++) {
    const bareNames = names.map((_, index) => `bare-${round}-${index}`);
    await quietMoment();
    const started = await withNodeCpu(() => Promise.all(bareNames.map((name) => startBarePod(name, image))));
    const bare = started.result.map(({ calledHome }) => calledHome);
    await removeBarePods(bareNames);
    await quietMoment();
    await assertNone();
    const woken = await withNodeCpu(() => Promise.all(names.map(wakeFunction)));
    const functions = woken.result.map(({ firstByte }) => firstByte);
    await Promise.all(names.map(untilGone));
    progress(
      `round ${round} of ${number}: bare ${Math.max(...bare).toFixed(0)}, functions ${Math.max(...functions).toFixed(0)}`,
    );
    if (round > 0) report({ burst: { bare, functions, cpu: { bare: started.cpu, functions: woken.cpu } } });
  }
  await deleteFunctions(names);
}

/** Leaves functions at zero behind. Twenty at a time: each starts a pod once, and a node takes only so many. */
async function idleFunctions(): Promise<void> {
  const names = Array.from({ length: number }, (_, index) => `idle-${index}`);
  let made = 0;
  const makeSome = async (): Promise<void> => {
    for (let name = names.pop(); name !== undefined; name = names.pop()) {
      await makeFunction(name);
      if (++made % 20 === 0) progress(`${made} of ${number} functions at zero`);
    }
  };
  await Promise.all(Array.from({ length: 20 }, makeSome));
}

function progress(text: string): void {
  report({ progress: text });
}

function report(line: Report): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
