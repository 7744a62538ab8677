/** Header names of the contract between client, gateway and runtime, in the lower case that Node gives them in. */

/** Set by the gateway on the way to a pod; whatever a client sent under these names is removed first. */
export const REQUEST_HEADERS = {
  /** The pod this request is meant for; another pod answers 421. */
  podUid: 'pilotlight-pod-uid',
  /** Hard limit of requests in the pod at once; without it there is none. A live value, so that changing it needs no new pod. */
  concurrencyLimit: 'pilotlight-concurrency-limit',
  /** Milliseconds the execution may take, counted by the pod from admission. */
  timeout: 'pilotlight-timeout-ms',
  /** `1`: the pod answers 102 as soon as it admits the request, and gets the rest of the body then; what it refuses can so be sent elsewhere whole. */
  tellAdmission: 'pilotlight-tell-admission',
} as const;

export const RESPONSE_HEADERS = {
  /** The pod's own uid: an answer without it came from somebody else's program on a reused address. */
  podUid: 'pilotlight-pod-uid',
  revision: 'pilotlight-revision',
  /** Why a pod did not begin the request (a NotAdmitted value); without this header it was begun. */
  notAdmitted: 'pilotlight-not-admitted',
  /** Milliseconds the request waited for a pod; only on requests that did. */
  coldStart: 'pilotlight-cold-start',
  serverTiming: 'server-timing',
} as const;

/** Why a pod refused a request before it began, with the status of that answer. The gateway may always try elsewhere. */
export const NOT_ADMITTED = {
  /** The request names another pod: this address was reused. */
  WrongPod: 421,
  /** As many requests as the limit allows are in the pod. */
  LimitReached: 429,
  Draining: 503,
  NotReady: 503,
} as const;
export type NotAdmitted = keyof typeof NOT_ADMITTED;
