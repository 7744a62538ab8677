/** Reads a message of an operator field by field; one that is wrong ends the stream, and the routes before it stay. */
import type {
  FunctionName,
  FunctionRoute,
  GatewaysRoute,
  PodRoute,
  RevisionRoute,
  RoutesUpdate,
  TrafficRoute,
} from '../../common/wire/routes.ts';
import type { OperatorMessage } from '../../common/wire/stream.ts';
import { boolean, fields, integer, list, name, number, oneOf, optional, text, TEXT } from '../../common/wire/fields.ts';
import { parseAddress, parseHost, parseUid } from '../../common/wire/parse-announcement.ts';
import { MOST_SIGNING_KEYS, SIGNING_KEY_ID, SIGNING_KEY_SECRET } from '../../common/wire/tokens.ts';

const MOST_FUNCTIONS = 100_000;
const MOST_GATEWAYS = 1_000;
const MOST_PODS = 10_000;
const MOST_SECONDS = 7 * 24 * 3_600;
const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

/** Throws a FieldError. */
export function parseOperatorMessage(value: unknown): OperatorMessage {
  const given = fields(value, 'message');
  const type = oneOf(given['type'], 'type', ['hello', 'keys', 'routes']);
  switch (type) {
    case 'hello':
      return { type, operator: text(given['operator'], 'operator', TEXT, 253) };
    case 'keys':
      return { type, keys: list(given['keys'], 'keys', MOST_SIGNING_KEYS, parseKey) };
    case 'routes':
      return parseRoutes(given);
  }
}

function parseKey(value: unknown, path: string): { readonly id: string; readonly secret: string } {
  const given = fields(value, path);
  return {
    id: text(given['id'], `${path}.id`, SIGNING_KEY_ID, 64),
    secret: text(given['secret'], `${path}.secret`, SIGNING_KEY_SECRET, 256),
  };
}

function parseRoutes(given: Readonly<Record<string, unknown>>): RoutesUpdate {
  return {
    type: 'routes',
    epoch: integer(given['epoch'], 'epoch', 1, Number.MAX_SAFE_INTEGER),
    sequence: integer(given['sequence'], 'sequence', 1, Number.MAX_SAFE_INTEGER),
    full: boolean(given['full'], 'full'),
    functions: list(given['functions'], 'functions', MOST_FUNCTIONS, parseFunction),
    removed: list(given['removed'], 'removed', MOST_FUNCTIONS, parseFunctionName),
    ...optional(given, 'gateways', 'message', parseGateways),
  };
}

function parseGateways(value: unknown, path: string): GatewaysRoute {
  const given = fields(value, path);
  return {
    self: text(given['self'], `${path}.self`, TEXT, 253),
    all: list(given['all'], `${path}.all`, MOST_GATEWAYS, (gateway, at) => {
      const { id, host, controlPort } = fields(gateway, at);
      return {
        id: text(id, `${at}.id`, TEXT, 253),
        host: parseHost(host, `${at}.host`),
        controlPort: integer(controlPort, `${at}.controlPort`, 1, 65_535),
      };
    }),
  };
}

function parseFunctionName(value: unknown, path: string): FunctionName {
  const given = fields(value, path);
  return { namespace: name(given['namespace'], `${path}.namespace`), name: name(given['name'], `${path}.name`) };
}

function parseFunction(value: unknown, path: string): FunctionRoute {
  const given = fields(value, path);
  const queue = fields(given['queue'], `${path}.queue`);
  return {
    ...parseFunctionName(value, path),
    visibility: oneOf(given['visibility'], `${path}.visibility`, ['Cluster', 'External']),
    timeoutSeconds: integer(given['timeoutSeconds'], `${path}.timeoutSeconds`, 1, MOST_SECONDS),
    concurrencyLimit: integer(given['concurrencyLimit'], `${path}.concurrencyLimit`, 0, 1_000_000),
    queue: {
      maxRequests: integer(queue['maxRequests'], `${path}.queue.maxRequests`, 0, Number.MAX_SAFE_INTEGER),
      maxBytes: integer(queue['maxBytes'], `${path}.queue.maxBytes`, 0, Number.MAX_SAFE_INTEGER),
      timeoutSeconds: integer(queue['timeoutSeconds'], `${path}.queue.timeoutSeconds`, 0, MOST_SECONDS),
    },
    traffic: list(given['traffic'], `${path}.traffic`, 100, parseTraffic),
    revisions: list(given['revisions'], `${path}.revisions`, 1_000, parseRevision),
  };
}

function parseTraffic(value: unknown, path: string): TrafficRoute {
  const given = fields(value, path);
  return {
    revision: name(given['revision'], `${path}.revision`),
    percent: number(given['percent'], `${path}.percent`),
    ...optional(given, 'tag', path, (tag, at) => text(tag, at, LABEL, 63)),
  };
}

function parseRevision(value: unknown, path: string): RevisionRoute {
  const given = fields(value, path);
  return {
    name: name(given['name'], `${path}.name`),
    pods: list(given['pods'], `${path}.pods`, MOST_PODS, parsePod),
    ...optional(given, 'startSeconds', path, (seconds, at) => number(seconds, at)),
    ...optional(given, 'failure', path, (failure, at) => {
      const { reason, message } = fields(failure, at);
      return {
        reason: text(reason, `${at}.reason`, TEXT, 1_024),
        // As the kubelet or the scheduler wrote it, line breaks and all.
        message: text(message, `${at}.message`, /^/, 32_768),
      };
    }),
  };
}

function parsePod(value: unknown, path: string): PodRoute {
  const given = fields(value, path);
  return {
    name: name(given['name'], `${path}.name`),
    uid: parseUid(given['uid'], `${path}.uid`),
    state: oneOf(given['state'], `${path}.state`, ['Ready', 'Terminating']),
    ...(given['spare'] === true ? { spare: true } : {}),
    ...parseAddress(given, `${path}.`),
  };
}
