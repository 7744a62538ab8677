import { TRANSFER_LIMITS, type TransferLimits } from './transfer/download-object.ts';

/** How long, and how, a model is fetched. */
export interface FetchLimits extends TransferLimits {
  readonly connectMilliseconds: number;
  readonly idleMilliseconds: number;
  readonly redirects: number;
  /** Of all that a model consists of, lists and credentials included. */
  readonly totalMilliseconds: number;
}

export const FETCH_LIMITS: FetchLimits = {
  ...TRANSFER_LIMITS,
  connectMilliseconds: 10_000,
  idleMilliseconds: 30_000,
  redirects: 5,
  totalMilliseconds: 3_600_000,
};
