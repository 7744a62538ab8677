/**
 * What became of requests, by revision. Counters and cold starts are exported as zeros before the first request: a function that is called once a day would
 * otherwise begin at one, and no rate sees the step from nothing to one.
 */
import type { Counter, Registry } from 'prom-client';
import { GATEWAY_ERRORS, type GatewayErrorCode } from '../../common/wire/errors.ts';
import type { HistogramTally } from './histogram-tally.ts';
import { REVISION_LABELS, type RevisionLabel, type RevisionLabels } from './revision-labels.ts';
import { OUTCOMES, RETRY_REASONS, RevisionTally } from './revision-tally.ts';
import { TalliedCounter, TalliedHistogram } from './tallied-metrics.ts';

export interface TalliedRevision {
  readonly labels: RevisionLabels;
  /** Undefined until somebody called it. */
  readonly tally: RevisionTally | undefined;
}

/** Codes of answers that are given before a revision has the request. */
export const CODES_WITHOUT_REVISION: ReadonlySet<GatewayErrorCode> = new Set([
  'no-routes',
  'unknown-function',
  'head-too-large',
  'not-implemented',
]);
const CODES = Object.keys(GATEWAY_ERRORS) as GatewayErrorCode[];
const REVISION_CODES = CODES.filter((code) => !CODES_WITHOUT_REVISION.has(code));

/** Of what was never called. */
const NOTHING = new RevisionTally();

/** Gives the counter of errors, for those that no revision has. */
export function registerRequestMetrics(
  registry: Registry,
  revisions: () => Iterable<TalliedRevision>,
): Counter<RevisionLabel | 'code'> {
  const registers = [registry];
  const counter = <Label extends string, Value extends string>(
    label: Label,
    { name, help }: { readonly name: string; readonly help: string },
    values: readonly Value[],
    count: (tally: RevisionTally, value: Value) => number,
  ): Counter<RevisionLabel | Label> =>
    new TalliedCounter<RevisionLabel | Label>(
      { name: `pilotlight_gateway_${name}`, help, labelNames: [...REVISION_LABELS, label], registers },
      () =>
        Array.from(revisions()).flatMap(({ labels, tally = NOTHING }) =>
          values.map((value) => ({
            labels: { ...labels, [label]: value } as Record<RevisionLabel | Label, string>,
            value: count(tally, value),
          })),
        ),
    );
  const histogram = (name: string, help: string, of: (tally: RevisionTally) => HistogramTally, zeros = false): void => {
    new TalliedHistogram({ name: `pilotlight_gateway_${name}`, help, labelNames: REVISION_LABELS, registers }, () =>
      Array.from(revisions(), ({ labels, tally = NOTHING }) => ({ labels, value: of(tally) })).filter(
        ({ value }) => zeros || !value.isEmpty,
      ),
    );
  };

  const requests = { name: 'requests_total', help: 'Requests that ended, by the class of the answer.' };
  counter('outcome', requests, OUTCOMES, (tally, outcome) => tally.requests[outcome]);
  const retries = { name: 'retries_total', help: 'Attempts at a pod that led to another attempt, by the reason.' };
  counter('reason', retries, RETRY_REASONS, (tally, reason) => tally.retries[reason]);
  const answers = { name: 'errors_total', help: 'Answers that the gateway itself gave, by error code.' };
  const errors = counter('code', answers, REVISION_CODES, (tally, code) => tally.errors[code] ?? 0);
  for (const code of CODES) errors.inc({ code }, 0);

  const duration = 'From the arrival of a request to the end of its answer.';
  histogram('request_duration_seconds', duration, (tally) => tally.duration);
  histogram('queue_wait_seconds', 'Wait for a slot in a pod, of requests that waited.', (tally) => tally.queueWait);
  const coldStart = 'Wait for a pod, of requests that found none for their revision.';
  histogram('cold_start_seconds', coldStart, (tally) => tally.coldStart, true);
  return errors;
}
