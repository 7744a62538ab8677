/** What becomes of a request when its head is here, whichever protocol brought it: it is turned away, waits for the first routes, or becomes an exchange. */
import type { GatewayErrorCode } from '../../common/wire/errors.ts';
import type { Listener } from '../routing/route-table.ts';
import type { Caller } from './caller.ts';
import { Exchange, type ExchangeServices } from './exchange.ts';
import type { FirstRoutes } from './first-routes.ts';
import type { RequestHead } from './request-head.ts';
import { noRevision } from './turn.ts';

const NO_ROUTES =
  'This gateway has just started, and no operator has told it of functions yet; send the request again.';

/** For routes to come. */
const RETRY_AFTER_SECONDS = 1;

export interface TrafficOptions {
  readonly listener: Listener;
  readonly firstRoutes: FirstRoutes;
}

export interface ArrivedRequest {
  /** The sentence of what is not valid in it, in place of a head. */
  readonly head: RequestHead | string;
  /** Of that sentence, if it is not that of any request that is not valid. */
  readonly fault?: GatewayErrorCode | undefined;
  /** Path and query, or a whole URL. */
  readonly url: string;
  /** The client sends its body only when it is told that there is a chance. */
  readonly expectsContinue: boolean;
}

export function beginExchange(
  options: TrafficOptions,
  services: ExchangeServices,
  caller: Caller,
  request: ArrivedRequest,
): void {
  const { metrics, routes, random } = services;
  const { head } = request;
  const deny = (code: GatewayErrorCode, message: string): void => {
    metrics.countError(code);
    if (services.isDraining()) caller.letGo();
    caller.refuse(code, message, false, RETRY_AFTER_SECONDS);
  };
  if (typeof head === 'string') return deny(request.fault ?? 'bad-request', head);
  // Other protocols may be ignored (RFC 9110 §7.8) and are: Java's HTTP client offers h2c with every request. A websocket cannot be.
  if (head.upgrade === 'websocket') return deny('not-implemented', 'This gateway does not serve websockets; use HTTP.');
  const destination = readTarget(request.url, head.host);
  if (destination === undefined) return deny('bad-request', 'The request target must be a path or an http URL.');
  const { listener, firstRoutes } = options;
  if (!firstRoutes.haveCome) {
    const again = (): void => beginExchange(options, services, caller, request);
    return firstRoutes.wait(caller, again, () => deny('no-routes', NO_ROUTES));
  }
  const match = routes.find(destination.host, destination.target, listener);
  if (typeof match === 'string') return deny('unknown-function', match);
  const revision = routes.choose(match, random);
  if (revision === undefined) return deny('revision-failed', noRevision(match.routed.route.name));
  new Exchange(services, caller, head, match, revision).start(request.expectsContinue);
}

/** A target in absolute form names the host itself (RFC 9112 §3.2.2). */
function readTarget(url: string, host: string): { readonly host: string; readonly target: string } | undefined {
  if (url.startsWith('/')) return { host, target: url };
  if (!/^https?:\/\//i.test(url) || !URL.canParse(url)) return undefined;
  const parsed = new URL(url);
  return { host: parsed.host, target: `${parsed.pathname}${parsed.search}` };
}
