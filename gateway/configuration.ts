/** What a gateway can be told, where from, and within which bounds. */
import { LOG_LEVELS, type LogLevel } from '../common/platform/logging.ts';
import type { HoldingLimits } from './revision/holdings.ts';
import type { HostDomains } from './routing/host-name.ts';

export interface GatewayConfiguration {
  /** Who this is, for operators' logs: the pod's name. */
  readonly name: string;
  /** The secret that operators show; nobody else may say where requests go. */
  readonly controlToken: string;
  /** To listen on; undefined is every address. */
  readonly host: string | undefined;
  /** 0 takes any free port. */
  readonly ports: {
    readonly http: number;
    readonly external: number;
    readonly control: number;
    readonly metrics: number;
  };
  readonly domains: HostDomains;
  /** Bytes. */
  readonly maxBodyBytes: number;
  /** On each of the two traffic ports. */
  readonly maxConnections: number;
  /** Requests that wait for a pod, and bytes of bodies in memory: of all functions together. */
  readonly holding: HoldingLimits;
  /** Past a function's timeoutSeconds, before the gateway gives up on the pod's own 504. */
  readonly timeoutMarginMilliseconds: number;
  /** Requests of a revision that may be sent again after their pod's death, beyond a fifth of all. */
  readonly mostRetries: number;
  /** How long it serves on after it was told to end: endpoints and load balancers need a moment to send nothing more. */
  readonly drainMilliseconds: number;
  /** How long requests, also those that wait for a pod, may then still take. */
  readonly finishMilliseconds: number;
}

export const GATEWAY_ENVIRONMENT = {
  name: 'PILOTLIGHT_GATEWAY_NAME',
  /** Required. */
  controlToken: 'PILOTLIGHT_CONTROL_TOKEN',
  host: 'PILOTLIGHT_HOST',
  httpPort: 'PILOTLIGHT_HTTP_PORT',
  externalPort: 'PILOTLIGHT_EXTERNAL_PORT',
  controlPort: 'PILOTLIGHT_CONTROL_PORT',
  metricsPort: 'PILOTLIGHT_METRICS_PORT',
  /** Functions answer to `<function>.<namespace>.<domain>` too. */
  domain: 'PILOTLIGHT_DOMAIN',
  clusterDomain: 'PILOTLIGHT_CLUSTER_DOMAIN',
  maxBodyBytes: 'PILOTLIGHT_MAX_BODY_BYTES',
  maxConnections: 'PILOTLIGHT_MAX_CONNECTIONS',
  maxQueuedRequests: 'PILOTLIGHT_MAX_QUEUED_REQUESTS',
  maxHeldBytes: 'PILOTLIGHT_MAX_HELD_BYTES',
  drainSeconds: 'PILOTLIGHT_DRAIN_SECONDS',
  finishSeconds: 'PILOTLIGHT_FINISH_SECONDS',
  logLevel: 'PILOTLIGHT_LOG_LEVEL',
} as const;

export const GATEWAY_DEFAULTS = {
  host: undefined,
  ports: { http: 8080, external: 8081, control: 9091, metrics: 9090 },
  domains: { clusterDomain: 'cluster.local', domain: '' },
  // A batch of 100 images of 3x224x224 floats is 57 MiB.
  maxBodyBytes: 64 * 1024 * 1024,
  maxConnections: 10_000,
  // Twice the default queue of one function, which is a fifth of a small node's memory; a request that waits costs about 15 KB besides.
  holding: { maxQueuedRequests: 10_000, maxHeldBytes: 512 * 1024 * 1024 },
  timeoutMarginMilliseconds: 2_000,
  // As many as one pod can have.
  mostRetries: 1_000,
  drainMilliseconds: 5_000,
  finishMilliseconds: 60_000,
} as const satisfies Omit<GatewayConfiguration, 'name' | 'controlToken'>;

/** Throws an Error that names the variable and what was expected. */
export function readConfiguration(
  environment: Readonly<Record<string, string | undefined>>,
  hostname: string,
): GatewayConfiguration {
  const names = GATEWAY_ENVIRONMENT;
  const integer = (variable: string, fallback: number, most: number): number => {
    const given = environment[variable];
    if (given === undefined || given === '') return fallback;
    const value = Number(given);
    if (Number.isInteger(value) && value >= 0 && value <= most) return value;
    throw new Error(`${variable} is ${JSON.stringify(given)} but must be an integer from 0 to ${most}.`);
  };
  const controlToken = environment[names.controlToken] ?? '';
  if (controlToken === '')
    throw new Error(`${names.controlToken} is not set: it must hold the token that operators send.`);
  const { ports, domains, holding, ...defaults } = GATEWAY_DEFAULTS;
  return {
    name: environment[names.name] ?? hostname,
    controlToken,
    host: environment[names.host],
    ports: {
      http: integer(names.httpPort, ports.http, 65_535),
      external: integer(names.externalPort, ports.external, 65_535),
      control: integer(names.controlPort, ports.control, 65_535),
      metrics: integer(names.metricsPort, ports.metrics, 65_535),
    },
    domains: {
      clusterDomain: environment[names.clusterDomain] ?? domains.clusterDomain,
      domain: (environment[names.domain] ?? domains.domain).toLowerCase(),
    },
    maxBodyBytes: integer(names.maxBodyBytes, defaults.maxBodyBytes, Number.MAX_SAFE_INTEGER),
    maxConnections: integer(names.maxConnections, defaults.maxConnections, 1_000_000),
    holding: {
      maxQueuedRequests: integer(names.maxQueuedRequests, holding.maxQueuedRequests, 1_000_000),
      maxHeldBytes: integer(names.maxHeldBytes, holding.maxHeldBytes, Number.MAX_SAFE_INTEGER),
    },
    timeoutMarginMilliseconds: defaults.timeoutMarginMilliseconds,
    mostRetries: defaults.mostRetries,
    drainMilliseconds: 1_000 * integer(names.drainSeconds, defaults.drainMilliseconds / 1_000, 3_600),
    finishMilliseconds: 1_000 * integer(names.finishSeconds, defaults.finishMilliseconds / 1_000, 86_400),
  };
}

export function readLogLevel(environment: Readonly<Record<string, string | undefined>>): LogLevel {
  const given = environment[GATEWAY_ENVIRONMENT.logLevel] ?? 'info';
  const level = LOG_LEVELS.find((one) => one === given);
  if (level !== undefined) return level;
  throw new Error(
    `${GATEWAY_ENVIRONMENT.logLevel} is ${JSON.stringify(given)} but must be one of ${LOG_LEVELS.join(', ')}.`,
  );
}
