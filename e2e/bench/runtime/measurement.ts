/** One server under one kind of load, and what it took of its core for each request. */
import { closedLoop, type HttpRequest, type LoadResult } from '../http-load.ts';
import { summarise, type Summary } from '../median.ts';
import type { Server } from '../../server/start-runtime.ts';

export interface Measurement {
  readonly cpuMicroseconds: number;
  /** Requests a second. */
  readonly rate: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly clientShare: number;
}

export async function measureClosed(
  { process, port }: Server,
  request: HttpRequest,
  connections: number,
  milliseconds: number,
): Promise<Measurement> {
  return underLoad(process, () => closedLoop({ ...request, port, connections, milliseconds }));
}

export async function underLoad(process: Server['process'], load: () => Promise<LoadResult>): Promise<Measurement> {
  const before = process.cpuMicroseconds();
  const { requests, seconds, latencies, clientShare } = await load();
  return {
    cpuMicroseconds: (process.cpuMicroseconds() - before) / requests,
    rate: requests / seconds,
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
    clientShare,
  };
}

/** Of sorted values. */
export function quantile(sorted: Float64Array, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** The rounds of one measurement by one of its figures. */
export function over(rounds: readonly Measurement[], figure: keyof Measurement): Summary {
  return summarise(rounds.map((round) => round[figure]));
}
