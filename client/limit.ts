/** Bounds one call by its timeout and by the caller's signal, however many requests it takes. */
import type { Clock } from '../common/platform/clock.ts';
import { InferenceError } from './inference-error.ts';

/** setTimeout fires at once for more; that is 24 days. */
const LONGEST_TIMER = 2 ** 31 - 1;

export interface Limits {
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds. */
  readonly timeout: number;
}

export interface Limit {
  /** Aborts with what the call shall then reject with. */
  readonly signal: AbortSignal;
  /** Milliseconds. */
  remaining(): number;
}

/** Runs the work; rejects with the signal's reason, or with InferenceError (timeout), as soon as the work notices its signal. */
export async function limited<T>(
  clock: Clock,
  { signal, timeout }: Limits,
  work: (limit: Limit) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  const controller = new AbortController();
  const end = clock.monotonic() + timeout;
  const onAbort = (): void => controller.abort(signal?.reason);
  const onTimeout = (): void =>
    controller.abort(
      new InferenceError(`There was no answer within ${timeout} ms; the option timeout allows more.`, {
        code: 'timeout',
      }),
    );
  const cancel = timeout <= LONGEST_TIMER ? clock.after(timeout, onTimeout) : undefined;
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    return await work({ signal: controller.signal, remaining: () => end - clock.monotonic() });
  } catch (error) {
    // Whatever the platform made of the abort, the reason is what the caller is told.
    controller.signal.throwIfAborted();
    throw error;
  } finally {
    cancel?.();
    signal?.removeEventListener('abort', onAbort);
  }
}
