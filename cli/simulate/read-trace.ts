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

type Name = keyof typeof COLUMNS;
const NAMES = Object.keys(COLUMNS) as Name[];

/**
 * Requests in the order of their times. A row is `requests` that arrive from `seconds` on, evenly over `overSeconds`, or all at once where that is 0.
 * @param path for messages
 * @param serviceMilliseconds of requests whose row does not say it; undefined if each must
 */
export function readTrace(path: string, text: string, serviceMilliseconds: number | undefined): Arrival[] {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  const header = lines.findIndex(isRow);
  if (header === -1) throw new TraceError(`${path}: holds no row; the first must name columns: ${NAMES.join(', ')}`);
  const columns = readHeader(`${path}:${header + 1}`, lines[header] ?? '');
  if (serviceMilliseconds === undefined && !columns.includes('serviceMilliseconds')) {
    throw new TraceError(
      `${path}:${header + 1}: column serviceMilliseconds: is missing; give it, or --service-milliseconds for all requests`,
    );
  }
  const arrivals: Arrival[] = [];
  for (let index = header + 1; index < lines.length; index++) {
    const line = lines[index] ?? '';
    if (!isRow(line)) continue;
    const place = `${path}:${index + 1}`;
    const row = readRow(place, columns, line);
    if (arrivals.length + row.requests > MOST_REQUESTS) {
      throw new TraceError(`${place}: the trace has more than ${MOST_REQUESTS} requests; simulate a part of it`);
    }
    const serviceSeconds = (row.serviceMilliseconds ?? serviceMilliseconds ?? 0) / 1000;
    for (let request = 0; request < row.requests; request++) {
      arrivals.push({ at: row.seconds + (row.overSeconds * request) / row.requests, serviceSeconds });
    }
  }
  return arrivals.sort((a, b) => a.at - b.at);
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
}

function readRow(place: string, columns: readonly Name[], line: string): Row {
  const cells = line.split(',');
  if (cells.length !== columns.length) {
    throw new TraceError(`${place}: has ${cells.length} cells; expected ${columns.length}: ${columns.join(', ')}`);
  }
  const values = new Map(columns.map((name, index) => [name, readCell(place, name, cells[index]?.trim() ?? '')]));
  const seconds = values.get('seconds') ?? 0;
  const overSeconds = values.get('overSeconds') ?? COLUMNS.overSeconds.default;
  if (seconds + overSeconds > MOST_SECONDS) {
    throw new TraceError(`${place}: column overSeconds: the trace must end within ${MOST_SECONDS} s, a week`);
  }
  const requests = values.get('requests') ?? COLUMNS.requests.default;
  return { seconds, requests, overSeconds, serviceMilliseconds: values.get('serviceMilliseconds') };
}

function readCell(place: string, name: Name, cell: string): number {
  const { least, most, whole = false }: Column = COLUMNS[name];
  const value = Number(cell);
  if (cell !== '' && value >= least && value <= most && (!whole || Number.isInteger(value))) return value;
  const kind = whole ? 'a whole number' : 'a number';
  throw new TraceError(`${place}: column ${name}: must be ${kind} from ${least} to ${most}, not ${quoted(cell)}`);
}

function quoted(cell: string): string {
  return JSON.stringify(cell.length > 40 ? `${cell.slice(0, 40)}…` : cell);
}
