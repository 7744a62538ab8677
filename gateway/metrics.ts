/** What the gateway exports to Prometheus. */
import type { Counter, Registry } from 'prom-client';
import type { GatewayErrorCode } from '../common/wire/errors.ts';
import { announcementCounter, claimCounter } from './metrics/control-counters.ts';
import { registerLoadGauges, type GatewayLoad } from './metrics/load-gauges.ts';
import { CODES_WITHOUT_REVISION, registerRequestMetrics } from './metrics/request-metrics.ts';
import type { RevisionLabel } from './metrics/revision-labels.ts';
import type { RevisionTally } from './metrics/revision-tally.ts';

/** What an error code is counted under; a request that no revision had is counted under none. */
interface CountedRevision {
  readonly tally: RevisionTally;
  /** Nobody reads its tally any more. */
  readonly isDropped: boolean;
}

export class GatewayMetrics {
  readonly announcements: Counter<'result'>;
  readonly claims: Counter<'result'>;
  readonly #errors: Counter<RevisionLabel | 'code'>;

  constructor(registry: Registry, load: () => GatewayLoad) {
    this.#errors = registerRequestMetrics(registry, () => load().revisions);
    this.announcements = announcementCounter(registry);
    this.claims = claimCounter(registry);
    registerLoadGauges(registry, load);
  }

  countError(code: GatewayErrorCode, revision?: CountedRevision): void {
    if (revision === undefined || revision.isDropped || CODES_WITHOUT_REVISION.has(code)) {
      return this.#errors.inc({ code });
    }
    const { errors } = revision.tally;
    errors[code] = (errors[code] ?? 0) + 1;
  }
}
