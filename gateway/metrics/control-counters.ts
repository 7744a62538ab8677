/** What became of messages to the control port: pods' announcements and other gateways' claims. */
import { Counter, type Registry } from 'prom-client';

export const ANNOUNCEMENT_RESULTS = [
  'accepted',
  'kept',
  'gone',
  'invalid',
  'unauthorized',
  'forbidden',
  'not-ready',
] as const;
export type AnnouncementResult = (typeof ANNOUNCEMENT_RESULTS)[number];

/** What became of a claim of another gateway to a slot: `left` gave up before it had one, or its gateway did. */
export const CLAIM_RESULTS = ['granted', 'denied', 'left'] as const;
export type ClaimResult = (typeof CLAIM_RESULTS)[number];

export function announcementCounter(registry: Registry): Counter<'result'> {
  const help = 'Announcements of pods, by what became of them.';
  return resultCounter(registry, 'pilotlight_gateway_announcements_total', help, ANNOUNCEMENT_RESULTS);
}

export function claimCounter(registry: Registry): Counter<'result'> {
  const help = 'Claims of other gateways to slots that this one gives out, by what became of them.';
  return resultCounter(registry, 'pilotlight_gateway_claims_total', help, CLAIM_RESULTS);
}

/** At zero from the start, so that a rate sees the first of each. */
function resultCounter(registry: Registry, name: string, help: string, results: readonly string[]): Counter<'result'> {
  const counter = new Counter({ name, help, labelNames: ['result'], registers: [registry] });
  for (const result of results) counter.inc({ result }, 0);
  return counter;
}
