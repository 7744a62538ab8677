/**
 * Decides which routes updates count when several operators stream at once, one of them perhaps a leader of the past. Pure.
 *
 * | the update                                              | then    |
 * |---------------------------------------------------------|---------|
 * | its sequence does not follow the stream's last          | end     |
 * | its epoch is below the highest ever taken               | ignore  |
 * | full                                                    | take    |
 * | partial, from the stream that the current routes are of | take    |
 * | partial, from any other stream (nothing to add it to)   | end     |
 */
export type RoutesVerdict = 'take' | 'ignore' | 'end';

export interface StreamPosition {
  /** Identifies the stream within this process. */
  readonly stream: number;
  /** Of the stream's last update; 0 before the first. */
  readonly sequence: number;
}

export interface RoutesSource {
  /** 0 before any routes. */
  readonly epoch: number;
  /** The stream whose full update the current routes began with. */
  readonly stream: number | undefined;
}

export interface UpdateOrder {
  readonly epoch: number;
  readonly sequence: number;
  readonly full: boolean;
}

export function judgeRoutes(position: StreamPosition, source: RoutesSource, update: UpdateOrder): RoutesVerdict {
  if (update.sequence !== position.sequence + 1) return 'end';
  if (update.epoch < source.epoch) return 'ignore';
  if (update.full) return 'take';
  return source.stream === position.stream && source.epoch === update.epoch ? 'take' : 'end';
}
