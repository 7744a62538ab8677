/** When the requests of a load are due. Pure. */

export interface Stage {
  /** Requests a second. */
  readonly rate: number;
  readonly seconds: number;
}

/** Milliseconds from the begin: evenly within each stage, one stage after the other. */
export function momentsOf(stages: readonly Stage[]): number[] {
  let begin = 0;
  return stages.flatMap(({ rate, seconds }) => {
    const from = begin;
    begin += seconds * 1000;
    return Array.from({ length: Math.round(rate * seconds) }, (_, index) => from + (index * 1000) / rate);
  });
}
