import type { GatewayLoad } from '../metrics/load-gauges.ts';

/** Of a gateway that nobody has called or told anything. */
export const NO_LOAD: GatewayLoad = {
  revisions: [],
  heldBytes: 0,
  streams: 0,
  peers: 0,
  claims: { waiting: 0, granted: 0 },
  epoch: 0,
  confirmedAt: undefined,
};
