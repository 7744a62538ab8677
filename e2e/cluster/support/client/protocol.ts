/** What a test and its client in the cluster say to each other: a JSON line each. Types only. */

export interface ClientRequest {
  readonly url: string;
  /** GET, or POST if there is a body. */
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** After which the client gives up. */
  readonly timeoutMilliseconds?: number;
}

/** A call of gRPC. */
export interface GrpcRequest {
  /** `http://<function>.<namespace>` */
  readonly url: string;
  /** `/inference.GRPCInferenceService/ModelInfer` */
  readonly method: string;
  /** In base64. */
  readonly messages: readonly string[];
  readonly timeoutMilliseconds?: number;
}

/** Of a call of gRPC: headers and trailers together, the status that HTTP would give it, and as body its messages in base64, a line each, or its sentence. */
export interface ClientAnswer {
  /** 0 if there was no answer; `error` then says why. */
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** `ECONNRESET`, `timeout`, `no connection in time` and the like; `ECONNRESET on a reused connection` where a kept connection was closed by the other side. */
  readonly error?: string;
  /** From the beginning of the request. */
  readonly firstByteMilliseconds: number;
  readonly totalMilliseconds: number;
}

export interface LoadSpec {
  readonly request: ClientRequest | GrpcRequest;
  /** So many clients, each of which sends its next request when it has its answer … */
  readonly concurrency?: number;
  /** … or so many requests a second, evenly, however slow the answers are. */
  readonly perSecond?: number;
  /** Connections are kept and reused; otherwise each request has its own. Default false. */
  readonly keepAlive?: boolean;
  /** Ends by itself after so many. */
  readonly requests?: number;
  /** Begins after so many milliseconds. */
  readonly afterMilliseconds?: number;
  /** In the body of every good answer; without it the outcome is `another answer`. */
  readonly includes?: string;
}

/** Every request is counted once, when it ends. Nothing is sent twice. */
export interface LoadReport {
  readonly sent: number;
  /** Sent and without an end so far. */
  readonly open: number;
  /** By `200`, `503 no-pod-in-time` (status and the gateway's code) or the kind of a connection's error. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** Of the answers that name one. */
  readonly revisions: Readonly<Record<string, number>>;
  /** Answers that say that they waited for a pod. */
  readonly coldStarts: number;
  /** Milliseconds of the answers with a status below 400. */
  readonly latency: { readonly p50: number; readonly p99: number; readonly max: number };
  /** By the second of the end, in seconds since the epoch; the longest time without any success is what an outage is. */
  readonly seconds: readonly LoadSecond[];
  /** The first hundred that did not end with a status below 400. */
  readonly failures: readonly LoadFailure[];
}

export interface LoadSecond {
  readonly second: number;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly revisions: Readonly<Record<string, number>>;
}

export interface LoadFailure {
  readonly outcome: string;
  /** Milliseconds since the epoch. */
  readonly sentAt: number;
  readonly endedAt: number;
  readonly body: string;
}

/** What a load is waited for: all that are given. They count from the moment at which the wait begins. */
export interface LoadCondition {
  /** So many more requests ended. */
  readonly ended?: number;
  /** So many ended since the load began. */
  readonly total?: number;
  /** So many answers in a row came from this revision. */
  readonly revision?: { readonly name: string; readonly inARow: number };
  /** So many answers in a row had this outcome. */
  readonly outcome?: { readonly name: string; readonly inARow: number };
}

/** `held` answers nobody until something else is served. */
export type Model = { readonly base64: string } | 'held';

export type Command =
  /** To whoever fetches `http://<address of the pod>:<its port of models><path>`. */
  | { readonly command: 'serveModel'; readonly path: string; readonly model: Model }
  | { readonly command: 'send'; readonly request: ClientRequest | GrpcRequest }
  /** Begins a request and keeps back its end. */
  | { readonly command: 'open'; readonly name: string; readonly request: ClientRequest }
  | { readonly command: 'finish'; readonly name: string }
  | { readonly command: 'abort'; readonly name: string }
  | { readonly command: 'startLoad'; readonly name: string; readonly load: LoadSpec }
  | { readonly command: 'awaitLoad'; readonly name: string; readonly condition: LoadCondition }
  | { readonly command: 'reportLoad'; readonly name: string }
  /** Resolves when the last answer has come. */
  | { readonly command: 'stopLoad'; readonly name: string };

export type CommandLine = Command & { readonly id: number };
export type ReplyLine =
  { readonly id: number; readonly result: unknown } | { readonly id: number; readonly error: string };
