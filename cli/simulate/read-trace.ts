/** Reads a trace of requests from CSV. Pure. Errors name the line, the column, and what was expected. */
import type { Arrival } from '../../operator/simulation/simulated-request.ts';

export class TraceError extends Error {
  override readonly name = 'TraceError';
}

/** A week; the simulation looks at each second of it. */
const MOST_SECONDS = 604_800;
/** Rows, and requests of all rows together; each takes some hundred bytes. */
const MOST_REQUESTS = 1_000_000;
/** An hour, the longest that a function's `timeoutSeconds` makes sense for. */
const MOST_SERVICE_MILLISECONDS = 3_600_000;

interface Column {
  readonly least: number;
  readonly most: number;
  readonly whole?: boolean;
  readonly default?: number;
}

const COLUMNS = {
  seconds: { least: 0, most: MOST_SECONDS },
  requests: { least: 0, most: MOST_REQUESTS, whole: true, default: 1 },
  overSeconds: { least: 0, most: MOST_SECONDS, default: 0 },
  serviceMilliseconds: { least: 0, most: MOST_SERVICE_MILLISECONDS },
} satisfies Record<string, Column>;

type NumberName = keyof typeof COLUMNS;
type Name = NumberName | 'function';
const NAMES: readonly Name[] = [...(Object.keys(COLUMNS) as NumberName[]), 'function'];

export interface TraceOptions {
  /** Whose requests there can be. */
  readonly functions: readonly string[];
  /** Whose they are where the trace does not say it; undefined if it must. */
  readonly only: string | undefined;
  /** Of requests whose row does not say it; undefined if each must. */
  readonly serviceMilliseconds: number | undefined;
}

/**
 * Requests by function, in the order of their times. A row is `requests` that arrive from `seconds` on, evenly over `overSeconds`, or all at once where that
 * is 0.
 * @param path for messages
 */
export function readTrace(
  path: string,
  text: string,
  { functions, only, serviceMilliseconds }: TraceOptions,
): Map<string, Arrival[]> {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  const header = lines.findIndex(isRow);
  if (header === -1) throw new TraceError(`${path}: holds no row; the first must name columns: ${NAMES.join(', ')}`);
  const columns = readHeader(`${path}:${header + 1}`, lines[header] ?? '');
  if (serviceMilliseconds === undefined && !columns.includes('serviceMilliseconds')) {
    throw new TraceError(
      `${path}:${header + 1}: column serviceMilliseconds: is missing; give it, or --service-milliseconds for all requests`,
    );
  }
  if (only === undefined && !columns.includes('function')) {
    const names = functions.join(', ');
    throw new TraceError(`${path}:${header + 1}: column function: is missing; each request is of one of ${names}`);
  }
  const traced = new Map<string, Arrival[]>(functions.map((name) => [name, []]));
  let count = 0;
  for (let index = header + 1; index < lines.length; index++) {
    const line = lines[index] ?? '';
    if (!isRow(line)) continue;
    const place = `${path}:${index + 1}`;
    const row = readRow(place, columns, line);
    const arrivals = traced.get(row.function ?? only ?? '');
    if (arrivals === undefined) {
      const there = `there is no function ${quoted(row.function ?? '')}; it must be one of ${functions.join(', ')}`;
      throw new TraceError(`${place}: column function: ${there}`);
    }
    count += row.requests;
    if (count > MOST_REQUESTS) {
      throw new TraceError(`${place}: the trace has more than ${MOST_REQUESTS} requests; simulate a part of it`);
    }
    const serviceSeconds = (row.serviceMilliseconds ?? serviceMilliseconds ?? 0) / 1000;
    for (let request = 0; request < row.requests; request++) {
      arrivals.push({ at: row.seconds + (row.overSeconds * request) / row.requests, serviceSeconds });
    }
  }
  for (const arrivals of traced.values()) arrivals.sort((a, b) => a.at - b.at);
  return traced;
}

function isRow(line: string): boolean {
  return line.trim() !== '' && !line.startsWith('#');
}

function readHeader(place: string, line: string): Name[] {
  const columns = line.split(',').map((cell) => cell.trim());
  for (const [index, column] of columns.entries()) {
    if (!(NAMES as string[]).includes(column)) {
      throw new TraceError(`${place}: column ${index + 1} is ${quoted(column)}; it must be one of ${NAMES.join(', ')}`);
    }
    if (columns.indexOf(column) !== index) throw new TraceError(`${place}: column ${column}: is there twice`);
  }
  if (!columns.includes('seconds')) throw new TraceError(`${place}: column seconds: is missing`);
  return columns as Name[];
}

interface Row {
  readonly seconds: number;
  readonly requests: number;
  readonly overSeconds: number;
  readonly serviceMilliseconds: number | undefined;
  readonly function: string | undefined;
}

function readRow(place: string, columns: readonly Name[], line: string): Row {
  const cells = line.split(',');
  if (cells.length !== columns.length) {
    throw new TraceError(`${place}: has ${cells.length} cells; expected ${columns.length}: ${columns.join(', ')}`);
  }
  const texts = new Map(columns.map((name, index) => [name, cells[index]?.trim() ?? '']));
  const numbers = columns.filter((name) => name !== 'function');
  const values = new Map(numbers.map((name) => [name, readNumber(place, name, texts.get(name) ?? '')]));
  const seconds = values.get('seconds') ?? 0;
  const overSeconds = values.get('overSeconds') ?? COLUMNS.overSeconds.default;
  if (seconds + overSeconds > MOST_SECONDS) {
    throw new TraceError(`${place}: column overSeconds: the trace must end within ${MOST_SECONDS} s, a week`);
  }
  const requests = values.get('requests') ?? COLUMNS.requests.default;
  const serviceMilliseconds = values.get('serviceMilliseconds');
  return { seconds, requests, overSeconds, serviceMilliseconds, function: texts.get('function') };
}

function readNumber(place: string, name: NumberName, cell: string): number {
  const { least, most, whole = false }: Column = COLUMNS[name];
  const value = Number(cell);
  if (cell !== '' && value >= least && value <= most && (!whole || Number.isInteger(value))) return value;
  const kind = whole ? 'a whole number' : 'a number';
  throw new TraceError(`${place}: column ${name}: must be ${kind} from ${least} to ${most}, not ${quoted(cell)}`);
}

function quoted(cell: string): string {
  return JSON.stringify(cell.length > 40 ? `${cell.slice(0, 40)}…` : cell);
}
