/** Prints what warm requests cost. */
import { summarise } from '../median.ts';
import { bareProxyOf } from './bare-proxies.ts';
import { line } from '../in-cluster/lines.ts';
import { formatTable } from '../table.ts';
import type { WarmResult } from './inside/warm.ts';
import { withGoal } from './goal.ts';

export interface WarmMeasurement extends WarmResult {
  /** Microseconds a request, by container. */
  readonly cpu: Readonly<Record<string, number>>;
}

type Figure = (one: WarmMeasurement) => number;

const BODIES = { small: '64 floats, 256 B', large: '150,528 floats, 600 KB' };
/** Milliseconds that the gateway adds at p50 to a small request on one connection. */
const ADDED = { atMost: 0.15 };
/** Microseconds of the gateway for a small request. */
const CPU = { atMost: 50 };
/** Requests for a second of one core, by those of Knative. */
const RATIO = { atLeast: 4 };

/** The containers that stand before the pod. */
function before({ target, model }: WarmMeasurement): readonly string[] {
  switch (target) {
    case 'gateway':
      return ['gateway'];
    case 'bare proxy':
      return [bareProxyOf(model)];
    case 'Knative':
      return ['activator', 'queue-proxy'];
    default:
      return [];
  }
}

export function printWarm(all: readonly WarmMeasurement[], hasCpu: boolean): string[] {
  const lines = Object.entries(BODIES).flatMap(([model, title]) => {
    const results = all.filter((one) => one.model === model);
    const rows = [...groupBy(results, ({ connections, target }) => `${connections}, ${target}`)].map(([key, group]) => [
      key,
      cell(group, ({ p50 }) => p50, 3),
      cell(group, ({ p99 }) => p99, 2),
      cell(group, ({ rate }) => rate, 0),
      cpuCell(group),
    ]);
    const head = ['connections, asked', 'p50, ms', 'p99, ms', 'requests/s', 'CPU a request, µs'];
    const rounds = new Set(results.map(({ round }) => round)).size;
    return [`Warm, ${title}: median (min to max) of ${rounds} rounds`, formatTable(head, rows), ''];
  });
  const small = all.filter(({ model }) => model === 'small');
  return [...lines, ...(hasCpu ? [] : [NO_CPU]), ...comparisons(small, hasCpu)];
}

const NO_CPU =
  'CPU a request cannot be read: not all of these pods run on this machine, whose /proc has it. Run the benchmark on their node.';

/** The goals are those of small requests. */
function comparisons(small: readonly WarmMeasurement[], hasCpu: boolean): string[] {
  return [...groupBy(small, ({ connections }) => String(connections))].flatMap(([connections, group]) => {
    const p50 = (target: string): number[] => group.filter((one) => one.target === target).map((one) => one.p50);
    const added = (through: string, direct: string): number =>
      summarise(p50(through).map((one, round) => one - (p50(direct)[round] ?? Number.NaN))).median;
    const own = added('gateway', 'pod');
    const title = (what: string): string => `${what}, small, connections: ${connections}`;
    const floor = added('bare proxy', 'pod');
    const [used, least] = [cpuBefore(group, 'gateway'), cpuBefore(group, 'bare proxy')];
    const lines = [
      line(title('added at p50, ms'), connections === '1' ? withGoal(own, 3, ADDED) : own.toFixed(3)),
      line(title('the same, by a bare proxy'), `${floor.toFixed(3)}, ${(own / floor).toFixed(2)} times`),
      ...(hasCpu ? [line(title('CPU of the gateway, µs'), withGoal(used, 1, CPU))] : []),
      ...(hasCpu
        ? [line(title('the same, of a bare proxy'), `${least.toFixed(1)}, ${(used / least).toFixed(2)} times`)]
        : []),
    ];
    if (p50('Knative').length === 0) return lines;
    const theirs = added('Knative', 'pod of Knative');
    lines.push(line(title('added at p50 by Knative, ms'), `${theirs.toFixed(3)}, ${(theirs / own).toFixed(1)} times`));
    if (!hasCpu) return lines;
    const ratio = cpuBefore(group, 'Knative') / used;
    return [...lines, line(title('requests a core-second / those of Knative'), withGoal(ratio, 1, RATIO))];
  });
}

function cpuBefore(group: readonly WarmMeasurement[], target: string): number {
  const asked = group.filter((one) => one.target === target);
  const sum: Figure = (one) => before(one).reduce((all, name) => all + (one.cpu[name] ?? Number.NaN), 0);
  return summarise(asked.map(sum)).median;
}

/** `gateway 71.2, runtime 90.3`: of those that the request passed. */
function cpuCell(group: readonly WarmMeasurement[]): string {
  const [first] = group;
  const pod = first?.target.endsWith('Knative') === true ? 'user-container' : 'runtime';
  const names = [...(first === undefined ? [] : before(first)), pod].filter((name) => first?.cpu[name] !== undefined);
  return names
    .map((name) => `${name} ${summarise(group.map(({ cpu }) => cpu[name] ?? Number.NaN)).median.toFixed(1)}`)
    .join(', ');
}

function cell(group: readonly WarmMeasurement[], figure: Figure, digits: number): string {
  const { median, min, max } = summarise(group.map(figure));
  return `${median.toFixed(digits)} (${min.toFixed(digits)} to ${max.toFixed(digits)})`;
}

function groupBy<One>(all: readonly One[], key: (one: One) => string): Map<string, One[]> {
  return Map.groupBy(all, key);
}
