/** Reads an announcement field by field. The pod that sends it runs a stranger's model, so nothing in it is taken on trust. */
import { isIP } from 'node:net';
import type { Announcement, ModelFacts, PodAddress, TensorFacts } from './announcement.ts';
import { boolean, FieldError, fields, integer, list, name, number, optional, text, TEXT } from './fields.ts';

/** An address or a DNS name; no port, user or path can hide in it. */
const HOST = /^[0-9A-Za-z]([0-9A-Za-z.:-]*[0-9A-Za-z])?$|^::[0-9A-Fa-f:.]*$/;
/** Bounds are within those of a revision's status, which is refused as a whole otherwise. */
const MOST_PROVIDERS = 8;
const MOST_TENSORS = 256;
const MOST_DIMENSIONS = 32;
const MOST_PHASES = 32;
/** It becomes a metric name in `server-timing`, which allows a token only. */
const PHASE = /^[A-Za-z0-9_-]+$/;

export function parseAnnouncement(value: unknown): Announcement {
  const given = fields(value, 'announcement');
  return {
    namespace: name(given['namespace'], 'namespace'),
    revision: name(given['revision'], 'revision'),
    pod: name(given['pod'], 'pod'),
    uid: parseUid(given['uid'], 'uid'),
    ...parseAddress(given, ''),
    ...optional(given, 'executionProviders', 'announcement', (providers, path) =>
      list(providers, path, MOST_PROVIDERS, (provider, at) => text(provider, at, TEXT, 16)),
    ),
    ...optional(given, 'model', 'announcement', parseModel),
    ...optional(given, 'phases', 'announcement', parsePhases),
  };
}

/** `path` is empty or ends with a dot. */
export function parseAddress(given: Readonly<Record<string, unknown>>, path: string): PodAddress {
  const ports = fields(given['ports'], `${path}ports`);
  const port = (value: unknown, at: string): number => integer(value, at, 1, 65_535);
  return {
    host: parseHost(given['host'], `${path}host`),
    ports: {
      http: port(ports['http'], `${path}ports.http`),
      control: port(ports['control'], `${path}ports.control`),
      ...optional(ports, 'grpc', `${path}ports`, port),
    },
  };
}

/** What is neither cannot be put into a URL (`1.2.3.999`, `a:b`), or means an address there that it does not look like (`0x7f.1`). */
export function parseHost(value: unknown, path: string): string {
  const host = text(value, path, HOST, 253);
  if (isIP(host) !== 0 || URL.parse(`http://${host}`)?.hostname === host.toLowerCase()) return host;
  throw new FieldError(path, 'an IP address or a DNS name');
}

export function parseUid(value: unknown, path: string): string {
  return text(value, path, /^[0-9A-Za-z-]+$/, 64);
}

function parseModel(value: unknown, path: string): ModelFacts {
  const given = fields(value, path);
  const batching = fields(given['batching'], `${path}.batching`);
  return {
    sha256: text(given['sha256'], `${path}.sha256`, /^[0-9a-f]{64}$/, 64),
    sizeBytes: integer(given['sizeBytes'], `${path}.sizeBytes`, 0, Number.MAX_SAFE_INTEGER),
    inputs: list(given['inputs'], `${path}.inputs`, MOST_TENSORS, parseTensor),
    outputs: list(given['outputs'], `${path}.outputs`, MOST_TENSORS, parseTensor),
    batching: {
      enabled: boolean(batching['enabled'], `${path}.batching.enabled`),
      reason: text(batching['reason'], `${path}.batching.reason`, TEXT, 1_024),
    },
  };
}

function parseTensor(value: unknown, path: string): TensorFacts {
  const given = fields(value, path);
  return {
    name: text(given['name'], `${path}.name`, TEXT, 512),
    datatype: text(given['datatype'], `${path}.datatype`, /^[A-Z0-9]+$/, 16),
    shape: list(given['shape'], `${path}.shape`, MOST_DIMENSIONS, (dimension, at) =>
      integer(dimension, at, -1, Number.MAX_SAFE_INTEGER),
    ),
  };
}

function parsePhases(value: unknown, path: string): Readonly<Record<string, number>> {
  const entries = Object.entries(fields(value, path));
  if (entries.length > MOST_PHASES) throw new FieldError(path, `an object of at most ${MOST_PHASES} phases`);
  return Object.fromEntries(
    entries.map(([phase, milliseconds]) => [
      text(phase, `${path} key`, PHASE, 64),
      number(milliseconds, `${path}.${phase}`),
    ]),
  );
}
