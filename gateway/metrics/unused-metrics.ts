/** The metrics of a revision that nobody called yet: bound with the first use, for bound ones take memory. */
import type { RevisionLabels, RevisionMetrics } from './revision-metrics.ts';

export class UnusedMetrics implements RevisionMetrics {
  readonly labels: RevisionLabels;
  readonly #bind: (unused: UnusedMetrics) => RevisionMetrics;
  #bound: RevisionMetrics | undefined;

  constructor(labels: RevisionLabels, bind: (unused: UnusedMetrics) => RevisionMetrics) {
    this.labels = labels;
    this.#bind = bind;
  }

  /** Once bound they are all here. */
  use(): RevisionMetrics {
    return (this.#bound ??= this.#bind(this));
  }

  get requests(): RevisionMetrics['requests'] {
    return this.use().requests;
  }

  get retries(): RevisionMetrics['retries'] {
    return this.use().retries;
  }

  get duration(): RevisionMetrics['duration'] {
    return this.use().duration;
  }

  get queueWait(): RevisionMetrics['duration'] {
    return this.use().queueWait;
  }

  get coldStart(): RevisionMetrics['duration'] {
    return this.use().coldStart;
  }
}
