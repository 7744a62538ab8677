/** What `/metrics` says of one function right now. */

export interface Reading {
  readonly inFlight: number;
  readonly queued: number;
  readonly desired: number;
  readonly ready: number;
}

const SERIES = {
  inFlight: 'pilotlight_gateway_requests_in_flight',
  queued: 'pilotlight_gateway_requests_queued',
  desired: 'pilotlight_desired_replicas',
  ready: 'pilotlight_ready_replicas',
} as const;

export async function read(metrics: string, functionName: string): Promise<Reading> {
  const answer = await fetch(metrics);
  return parseReading(await answer.text(), functionName);
}

/** Sums over the function's revisions; 0 for what is not there. */
export function parseReading(text: string, functionName: string): Reading {
  const sum = (series: string): number =>
    text
      .split('\n')
      .filter((line) => line.startsWith(`${series}{`) && line.includes(`function="${functionName}"`))
      .reduce((total, line) => total + Number(line.slice(line.lastIndexOf(' '))), 0);
  return {
    inFlight: sum(SERIES.inFlight),
    queued: sum(SERIES.queued),
    desired: sum(SERIES.desired),
    ready: sum(SERIES.ready),
  };
}
