/** A steady load, which counts every request. */
import { Agent } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { ClientAnswer, LoadCondition, LoadFailure, LoadReport, LoadSpec } from './protocol.ts';
import { send } from './send.ts';

const FAILURES_KEPT = 100;
const BODY_CHARACTERS_KEPT = 500;

type Counts = Record<string, number>;

export class Load {
  readonly #spec: LoadSpec;
  readonly #agent: Agent | false;
  readonly #outcomes: Counts = {};
  readonly #revisions: Counts = {};
  readonly #seconds = new Map<number, { readonly outcomes: Counts; readonly revisions: Counts }>();
  readonly #failures: LoadFailure[] = [];
  readonly #latencies: number[] = [];
  readonly #listeners = new Set<(outcome: string, revision: string | undefined) => void>();
  readonly #finished: Promise<void>;
  #sent = 0;
  #ended = 0;
  #coldStarts = 0;
  #stopped = false;

  constructor(spec: LoadSpec) {
    this.#spec = spec;
    this.#agent = spec.keepAlive === true ? new Agent({ keepAlive: true, maxSockets: Infinity }) : false;
    this.#finished = this.#run(spec);
  }

  /** Resolves when what was sent has ended. */
  async stop(): Promise<LoadReport> {
    this.#stopped = true;
    await this.#finished;
    if (this.#agent !== false) this.#agent.destroy();
    return this.report();
  }

  /** At the first answer with which the condition holds. */
  async until({ ended = 0, total = 0, revision, outcome }: LoadCondition): Promise<LoadReport> {
    const begin = this.#ended;
    let ofRevision = 0;
    let ofOutcome = 0;
    await new Promise<void>((resolve) => {
      const look = (gotOutcome?: string, gotRevision?: string): void => {
        if (gotOutcome !== undefined) {
          ofRevision = gotRevision === revision?.name ? ofRevision + 1 : 0;
          ofOutcome = gotOutcome === outcome?.name ? ofOutcome + 1 : 0;
        }
        if (this.#ended < Math.max(begin + ended, total)) return;
        if (revision !== undefined && ofRevision < revision.inARow) return;
        if (outcome !== undefined && ofOutcome < outcome.inARow) return;
        this.#listeners.delete(look);
        resolve();
      };
      this.#listeners.add(look);
      look();
    });
    return this.report();
  }

  report(): LoadReport {
    const sorted = this.#latencies.toSorted((a, b) => a - b);
    const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
    return structuredClone({
      sent: this.#sent,
      open: this.#sent - this.#ended,
      outcomes: this.#outcomes,
      revisions: this.#revisions,
      coldStarts: this.#coldStarts,
      latency: { p50: at(0.5), p99: at(0.99), max: sorted.at(-1) ?? 0 },
      seconds: [...this.#seconds].map(([second, counts]) => ({ second, ...counts })),
      failures: this.#failures,
    });
  }

  async #run({ afterMilliseconds = 0, perSecond, concurrency = 1 }: LoadSpec): Promise<void> {
    await delay(afterMilliseconds);
    await (perSecond === undefined ? this.#closedLoop(concurrency) : this.#openLoop(perSecond));
  }

  async #closedLoop(clients: number): Promise<void> {
    const client = async (): Promise<void> => {
      while (this.#mayGoOn()) await this.#one();
    };
    await Promise.all(Array.from({ length: clients }, client));
  }

  async #openLoop(perSecond: number): Promise<void> {
    const open = new Set<Promise<void>>();
    const begun = performance.now();
    while (this.#mayGoOn()) {
      const one = this.#one().finally(() => open.delete(one));
      open.add(one);
      // By the schedule and not since the last, so that a late timer does not thin the load.
      await delay(Math.max(0, begun + (this.#sent * 1000) / perSecond - performance.now()));
    }
    await Promise.all(open);
  }

  #mayGoOn(): boolean {
    return !this.#stopped && this.#sent < (this.#spec.requests ?? Infinity);
  }

  async #one(): Promise<void> {
    this.#sent++;
    const sentAt = Date.now();
    const answer = await send(this.#spec.request, this.#agent);
    this.#ended++;
    const outcome = outcomeOf(answer, this.#spec.includes);
    const revision = answer.headers['pilotlight-revision'];
    const endedAt = Date.now();
    this.#count(Math.floor(endedAt / 1000), outcome, revision);
    if (answer.headers['pilotlight-cold-start'] !== undefined) this.#coldStarts++;
    if (isGood(outcome)) this.#latencies.push(answer.totalMilliseconds);
    else if (this.#failures.length < FAILURES_KEPT) {
      this.#failures.push({ outcome, sentAt, endedAt, body: answer.body.slice(0, BODY_CHARACTERS_KEPT) });
    }
    for (const listener of [...this.#listeners]) listener(outcome, revision);
  }

  #count(second: number, outcome: string, revision: string | undefined): void {
    const inSecond = this.#seconds.get(second) ?? { outcomes: {}, revisions: {} };
    this.#seconds.set(second, inSecond);
    add(this.#outcomes, outcome);
    add(inSecond.outcomes, outcome);
    if (revision === undefined) return;
    add(this.#revisions, revision);
    add(inSecond.revisions, revision);
  }
}

function add(counts: Counts, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}

/** A status below 400. */
function isGood(outcome: string): boolean {
  return /^[123]\d\d$/.test(outcome);
}

function outcomeOf({ status, error, headers, body }: ClientAnswer, includes = ''): string {
  if (error !== undefined) return error;
  if (status < 400 && !body.includes(includes)) return 'another answer';
  if (status < 400 || headers['content-type']?.startsWith('application/json') !== true) return String(status);
  try {
    const { code } = JSON.parse(body) as { readonly code?: unknown };
    return typeof code === 'string' ? `${status} ${code}` : String(status);
  } catch {
    return String(status);
  }
}
