/** What becomes of each request to an API server that a test makes misbehave, as what follows "an API server that …". Only for tests. */
import type { FaultingRelay, RelayedRequest, RelayFault } from './faulting-relay.ts';

const isWrite = ({ method }: RelayedRequest): boolean => method !== 'GET';
const when =
  (concerns: (request: RelayedRequest) => boolean, fault: RelayFault) =>
  (request: RelayedRequest): RelayFault | undefined =>
    concerns(request) ? fault : undefined;

export const API_SERVER_FAULTS: Record<string, FaultingRelay['fault']> = {
  'answers 3 s late': () => ({ type: 'Delayed', milliseconds: 3000 }),
  'resets each connection': () => ({ type: 'Reset' }),
  'does what it is asked, and its answers are lost': when(isWrite, { type: 'AnswerLost' }),
  'answers 409 to each write': when(isWrite, {
    type: 'Answer',
    status: 409,
    body: { kind: 'Status', code: 409, reason: 'Conflict', message: 'the object has been modified' },
  }),
  'answers 410 to each watch': when(({ isWatch }) => isWatch, {
    type: 'Answer',
    status: 410,
    body: { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' },
  }),
  'answers 429 and asks for 2 s': () => ({ type: 'Answer', status: 429, headers: { 'retry-after': '2' } }),
  'answers 500': () => ({ type: 'Answer', status: 500 }),
  'answers 503': () => ({ type: 'Answer', status: 503 }),
  'cuts each watch amid an event': when(({ isWatch }) => isWatch, { type: 'Cut', afterBytes: 150 }),
  'answers no write': when(isWrite, { type: 'Hung' }),
  'begins no watch': when(({ isWatch }) => isWatch, { type: 'Hung' }),
};
