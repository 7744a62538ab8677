/**
 * Prints the figures of docs/reference/performance.md that need a cluster, each beside the floor of the same run: `node main.ts [PART[=COUNT]...]`,
 * with the parts cold-start, burst and idle (all without any). It wants Pilotlight installed in the cluster of $KUBECONFIG, which should do nothing else meanwhile.
 */
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { bundle } from '../in-cluster/bundle.ts';
import { line, row } from '../in-cluster/lines.ts';
import { prepareWorkplace, type Workplace } from '../in-cluster/workplace.ts';
import { summarise } from '../median.ts';
import { measureIdleOperator, type Writes } from './idle-operator.ts';
import type { BurstRound, ColdStartRound, Report } from './inside/main.ts';

/** What a first answer may take beyond a pod that only calls home, in milliseconds. */
const COLD_START_GOAL = 170;
/** Functions in a burst. */
const TOGETHER = 10;
const MEBIBYTE = 2 ** 20;
const STABLE_WINDOW_MILLISECONDS = 6000;

interface Part {
  /** How often by default, or of the idle part: how many functions. */
  readonly count: number;
  readonly measure: (workplace: Workplace, script: string, count: number) => Promise<string[]>;
}

const PARTS: Readonly<Record<string, Part>> = {
  'cold-start': { count: 20, measure: coldStart },
  burst: { count: 7, measure: burst },
  idle: { count: 200, measure: idle },
};

const chosen = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(PARTS);
const script = await bundle({ entryPoints: [join(import.meta.dirname, 'inside', 'main.ts')] });
const workplace = await prepareWorkplace();
try {
  for (const choice of chosen) {
    const [name = '', count] = choice.split('=');
    const part = PARTS[name];
    if (part === undefined) throw new Error(`There is no part "${name}"; there are ${Object.keys(PARTS).join(', ')}.`);
    const before = loadavg()[0] ?? 0;
    const lines = await part.measure(workplace, script, Number(count ?? part.count));
    const load = `load average of this machine ${before.toFixed(1)} before, ${(loadavg()[0] ?? 0).toFixed(1)} after`;
    process.stdout.write(`${lines.join('\n')}\n  (${load})\n\n`);
  }
} finally {
  await workplace.remove();
}

async function coldStart(workplace: Workplace, script: string, count: number): Promise<string[]> {
  const rounds: ColdStartRound[] = [];
  await runPart(workplace, script, 'cold-start', count, (report) => {
    if ('coldStart' in report) rounds.push(report.coldStart);
  });
  const of = (value: (round: ColdStartRound) => number): number[] => rounds.map(value);
  const home = summarise(of(({ bare }) => bare.calledHome)).median;
  const first = summarise(of(({ wake }) => wake.firstByte)).median;
  const phases = Object.keys(rounds[0]?.wake.phases ?? {});
  return [
    'From zero, milliseconds from the call: median (min to max)',
    line(
      'rounds that began while the node was quiet',
      `${rounds.filter(({ quiet }) => quiet).length} of ${rounds.length}`,
    ),
    row(
      'bare pod, until its program calls home',
      of(({ bare }) => bare.calledHome),
    ),
    row(
      '  of which its program',
      of(({ bare }) => bare.program),
    ),
    row(
      'bare pod, until its first 200 at the address of its status',
      of(({ bare }) => bare.answered),
    ),
    row(
      'function, until its pod is seen',
      of(({ wake }) => wake.podSeen),
    ),
    row(
      'function, first byte of the answer',
      of(({ wake }) => wake.firstByte),
    ),
    row(
      'function, whole right answer',
      of(({ wake }) => wake.answer),
    ),
    line('first byte - bare pod that calls home', `${(first - home).toFixed(0)}  (goal: at most ${COLD_START_GOAL})`),
    line('first byte / bare pod that calls home', (first / home).toFixed(2)),
    'Where the time goes, milliseconds, as the answer says (server-timing)',
    ...phases.map((phase) =>
      row(
        phase,
        of(({ wake }) => wake.phases[phase] ?? 0),
      ),
    ),
    'To zero, milliseconds from the end of the last answer until no pod is left',
    row(
      `pods gone  (goal: at most ${STABLE_WINDOW_MILLISECONDS + 5000})`,
      of(({ toZero }) => toZero),
    ),
  ];
}

async function burst(workplace: Workplace, script: string, count: number): Promise<string[]> {
  const rounds: BurstRound[] = [];
  await runPart(workplace, script, 'burst', count, (report) => {
    if ('burst' in report) rounds.push(report.burst);
  });
  const bare = rounds.map((round) => Math.max(...round.bare));
  const functions = rounds.map((round) => Math.max(...round.functions));
  const cpu = {
    bare: rounds.map((round) => round.cpu.bare / TOGETHER),
    functions: rounds.map((round) => round.cpu.functions / TOGETHER),
  };
  const ratio = summarise(functions).median / summarise(bare).median;
  return [
    'Ten at once, milliseconds from the calls: median (min to max)',
    row(
      'bare pods that call home, each',
      rounds.flatMap((round) => round.bare),
    ),
    row('bare pods that call home, the last', bare),
    row(
      'functions, first byte, each',
      rounds.flatMap((round) => round.functions),
    ),
    row('functions, first byte, the last', functions),
    line('functions / bare pods, the last', `${ratio.toFixed(2)}  (goal: at most 1.2)`),
    row('CPU of the whole node for each bare pod, until its first 200', cpu.bare),
    row('CPU of the whole node for each function, until its answer', cpu.functions),
  ];
}

async function idle(workplace: Workplace, script: string, count: number): Promise<string[]> {
  await runPart(workplace, script, 'idle', count, () => undefined);
  const figures = await measureIdleOperator(workplace, await importOfClient());
  const goal = figures.importResident + (30 + 0.25 * count) * MEBIBYTE;
  const [leader = 0, ...others] = figures.resident.map(mebibytes);
  return [
    `Operator with ${count} functions at zero`,
    line('resident memory of the leader, MiB', `${leader}  (goal: at most ${mebibytes(goal)})`),
    line('of the other operators, MiB', others.join(', ')),
    line('of a process that only imports the Kubernetes client, MiB', mebibytes(figures.importResident)),
    line('writes in a minute of quiet', `${formatWrites(figures.quietWrites)}  (goal: none)`),
    line(
      `writes of ${figures.reconciles} reconciliations of unchanged objects`,
      `${formatWrites(figures.touchedWrites)}  (goal: none)`,
    ),
  ];
}

function runPart(
  { run, image }: Workplace,
  script: string,
  part: string,
  rounds: number,
  onReport: (report: Report) => void,
): Promise<void> {
  return run(script, [part, image, String(rounds)], (text) => {
    const report = JSON.parse(text) as Report;
    if ('progress' in report) process.stderr.write(`${part}: ${report.progress}\n`);
    else onReport(report);
  });
}

/** Of the package no more than the operator itself takes, bundled as that is. */
function importOfClient(): Promise<string> {
  return bundle({
    stdin: {
      contents: `import { KubeConfig } from '@kubernetes/client-node';
        import { readFileSync } from 'node:fs';
        globalThis.used = KubeConfig;
        setTimeout(() => console.log(1024 * /VmRSS:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]), 5000);`,
      resolveDir: import.meta.dirname,
    },
  });
}

function mebibytes(bytes: number): string {
  return (bytes / MEBIBYTE).toFixed(1);
}

function formatWrites(writes: Writes): string {
  const parts = Object.entries(writes).map(([what, count]) => `${count} ${what}`);
  return parts.length === 0 ? 'none' : parts.join(', ');
}
