/** Requests to pods that run, as fast as the connections allow: pods asked directly and through what stands before them, by turns. */
import { setTimeout as pause } from 'node:timers/promises';
import { postOnce } from '../../in-cluster/inside/post-once.ts';
import { closedLoop } from '../../http-load.ts';
import { quantile } from '../../runtime/measurement.ts';
import { makeRequest, type AskedModel } from '../../runtime/requests.ts';
import { report } from './report.ts';
import type { Target } from './target.ts';

export interface WarmPlan {
  /** After one that is not counted: it warms up. */
  readonly rounds: number;
  /** Of each load. */
  readonly milliseconds: number;
  readonly connections: readonly number[];
  readonly bodies: readonly { readonly model: AskedModel; readonly targets: readonly Target[] }[];
}

export interface WarmResult {
  readonly counted: boolean;
  readonly round: number;
  readonly model: string;
  readonly target: string;
  readonly connections: number;
  readonly requests: number;
  /** Requests a second. */
  readonly rate: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

/** Between a load and the two moments at which its processor time is read, for the word of it must travel. */
const MARGIN_MILLISECONDS = 150;
const TOLERANCE = 1e-4;

export async function measureWarm({ rounds, milliseconds, connections: counts, bodies }: WarmPlan): Promise<void> {
  const cases = await Promise.all(
    bodies.map(async ({ model, targets }) => ({ model, targets, answerBytes: await compareAnswers(model, targets) })),
  );
  for (let round = 0; round <= rounds; round++) {
    for (const connections of counts) {
      for (const { model, targets, answerBytes } of cases) {
        const request = makeRequest(model, 'binary');
        for (const { name, host, port, headers } of targets) {
          const all = { ...request, host, port, headers: { ...request.headers, ...headers }, answerBytes };
          report({ begins: name });
          await pause(MARGIN_MILLISECONDS);
          const { requests, seconds, latencies } = await closedLoop({ ...all, connections, milliseconds });
          if (requests === 0) throw new Error(`${name} answered nothing.`);
          const figures = { rate: requests / seconds, p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99) };
          const which = { counted: round > 0, round, model: model.name, target: name, connections };
          report({ warm: { ...which, requests, ...figures } });
          await pause(MARGIN_MILLISECONDS);
        }
      }
      report({ progress: `round ${round} of ${rounds}: ${connections} connections` });
    }
  }
}

/** All must answer the same; gives the length of that, by which each answer of a load is known again. */
async function compareAnswers(model: AskedModel, targets: readonly Target[]): Promise<number> {
  const request = makeRequest(model, 'binary');
  let first: Buffer | undefined;
  for (const { name, host, port, headers } of targets) {
    const { status, body } = await postOnce({ ...request, host, port, headers: { ...request.headers, ...headers } });
    if (status !== 200) throw new Error(`${name} answered ${status}: ${body.toString().slice(0, 500)}`);
    first ??= body;
    if (!same(body, first)) throw new Error(`${name} answered otherwise than ${targets[0]?.name}: ${body.toString()}`);
  }
  return first?.length ?? 0;
}

/** Floats at the end may differ by what two processors differ by; what stands before them is text. */
function same(one: Buffer, other: Buffer): boolean {
  const [text, floats] = split(one);
  const [otherText, otherFloats] = split(other);
  const near = (value: number, index: number): boolean => {
    const expected = otherFloats[index] ?? Number.NaN;
    return Object.is(value, expected) || Math.abs(value - expected) <= TOLERANCE * Math.max(1, Math.abs(expected));
  };
  return text === otherText && floats.length === otherFloats.length && floats.every(near);
}

function split(answer: Buffer): [string, number[]] {
  const end = answer.lastIndexOf('}') + 1;
  const floats = Array.from({ length: (answer.length - end) / 4 }, (_, index) => answer.readFloatLE(end + 4 * index));
  return [answer.toString('utf8', 0, end), floats];
}
