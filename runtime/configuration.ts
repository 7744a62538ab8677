/** The runtime's environment as a typed value. What is wrong with it is a StartError that names the variable. */
import { LOG_LEVELS, type LogLevel } from '../common/platform/logging.ts';
import { nearest } from '../common/text/nearest.ts';
import {
  BATCHING_MODES,
  GRAPH_OPTIMIZATION_LEVELS,
  RUNTIME_ENVIRONMENT,
  SWITCH,
  type RuntimeSpecification,
  type SessionSettings,
} from '../common/wire/runtime-environment.ts';
import { parseGatewayAddresses, type GatewayAddress } from './announce/gateway-address.ts';
import { StartError } from './inference.ts';

export const DEFAULT_MAX_BODY_BYTES = 64 * 1024 * 1024;

/** The pod that gateways and operators know this process as. */
export interface Pod {
  readonly name: string;
  readonly uid: string;
  readonly host: string;
  readonly gateways: readonly GatewayAddress[];
  readonly announceToken: string;
  readonly drainToken: string;
}

export interface Configuration {
  readonly specification: RuntimeSpecification;
  /** Absent where no gateway is in front. */
  readonly pod?: Pod;
  readonly ports: { readonly http: number; readonly grpc: number; readonly control: number; readonly metrics: number };
  readonly maxBodyBytes: number;
  readonly modelDirectory: string;
  readonly logLevel: LogLevel;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Throws StartError. */
export function parseConfiguration(environment: Environment): Configuration {
  const pod = parsePod(environment);
  return {
    specification: parseSpecification(required(environment, RUNTIME_ENVIRONMENT.specification)),
    ...(pod !== undefined && { pod }),
    ports: {
      http: parseNumber(environment, RUNTIME_ENVIRONMENT.httpPort, 8080, 65_535),
      grpc: parseNumber(environment, RUNTIME_ENVIRONMENT.grpcPort, 8081, 65_535),
      control: parseNumber(environment, RUNTIME_ENVIRONMENT.controlPort, 9091, 65_535),
      metrics: parseNumber(environment, RUNTIME_ENVIRONMENT.metricsPort, 9090, 65_535),
    },
    maxBodyBytes: parseNumber(environment, RUNTIME_ENVIRONMENT.maxBodyBytes, DEFAULT_MAX_BODY_BYTES, 2 ** 31),
    modelDirectory: required(environment, RUNTIME_ENVIRONMENT.modelDirectory),
    logLevel: parseLogLevel(environment),
  };
}

function parsePod(environment: Environment): Pod | undefined {
  if (environment[RUNTIME_ENVIRONMENT.podUid] === undefined) return undefined;
  const text = environment[RUNTIME_ENVIRONMENT.gateways] ?? '';
  const gateways = parseGatewayAddresses(text);
  if (gateways === undefined)
    throw invalid(RUNTIME_ENVIRONMENT.gateways, 'host:port entries separated by commas', text);
  return {
    name: required(environment, RUNTIME_ENVIRONMENT.podName),
    uid: required(environment, RUNTIME_ENVIRONMENT.podUid),
    host: required(environment, RUNTIME_ENVIRONMENT.podHost),
    gateways,
    announceToken: required(environment, RUNTIME_ENVIRONMENT.announceToken),
    drainToken: required(environment, RUNTIME_ENVIRONMENT.drainToken),
  };
}

function parseSpecification(text: string): RuntimeSpecification {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw invalid(RUNTIME_ENVIRONMENT.specification, 'JSON', text.slice(0, 80));
  }
  const root = new Fields('', value);
  const model = new Fields('model.', root.value('model'));
  const batching = new Fields('batching.', root.value('batching'));
  const sha256 = model.optionalString('sha256');
  const session = root.value('session');
  const mode = batching.oneOf('mode', BATCHING_MODES);
  return {
    namespace: root.string('namespace'),
    function: root.string('function'),
    revision: root.string('revision'),
    model: { uri: model.string('uri'), ...(sha256 !== undefined && { sha256 }) },
    executionProviders: root.strings('executionProviders'),
    instances: root.number('instances', 1),
    intraOpThreads: root.number('intraOpThreads', 1),
    ...(session !== undefined && { session: parseSession(session) }),
    batching: {
      ...(mode !== undefined && { mode }),
      maxBatchSize: batching.number('maxBatchSize', 1),
      maxDelayMilliseconds: batching.number('maxDelayMilliseconds', 0),
    },
    timeoutSeconds: root.number('timeoutSeconds', 1),
  };
}

const SESSION_SETTINGS: {
  readonly [Name in keyof SessionSettings]-?: (fields: Fields, name: Name) => SessionSettings[Name];
} = {
  graphOptimizationLevel: (fields, name) => fields.oneOf(name, GRAPH_OPTIMIZATION_LEVELS),
  interOpThreads: (fields, name) => fields.integer(name, 1, 64),
  memoryArena: (fields, name) => fields.oneOf(name, SWITCH),
  prepacking: (fields, name) => fields.oneOf(name, SWITCH),
  spinning: (fields, name) => fields.oneOf(name, SWITCH),
  deviceId: (fields, name) => fields.integer(name, 0, 63),
};

/** ONNX Runtime ignores an option that it does not know; here that is an error, as it would otherwise look as if it were in force. */
function parseSession(value: unknown): SessionSettings {
  const fields = new Fields('session.', value);
  const known = Object.keys(SESSION_SETTINGS);
  for (const name of fields.names) {
    if (known.includes(name)) continue;
    const near = nearest(name, known);
    throw new StartError(
      'ConfigurationInvalid',
      `There is no session option "${name}"; ${near === undefined ? `there are ${known.join(', ')}` : `did you mean "${near}"?`}`,
    );
  }
  return Object.fromEntries(
    Object.entries(SESSION_SETTINGS).flatMap(([name, parse]) =>
      fields.names.includes(name) ? [[name, (parse as (fields: Fields, name: string) => unknown)(fields, name)]] : [],
    ),
  );
}

/** Fields of one object of the specification. Others than those asked for are left alone: a newer operator may send more. */
class Fields {
  readonly #path: string;
  readonly #fields: Readonly<Record<string, unknown>>;

  constructor(path: string, value: unknown) {
    if (typeof value !== 'object' || value === null) throw wrongField(path.slice(0, -1), 'an object');
    this.#path = path;
    this.#fields = value as Record<string, unknown>;
  }

  value(name: string): unknown {
    return this.#fields[name];
  }

  string(name: string): string {
    const value = this.#fields[name];
    if (typeof value === 'string' && value !== '') return value;
    throw wrongField(this.#path + name, 'a text');
  }

  optionalString(name: string): string | undefined {
    return this.#fields[name] === undefined ? undefined : this.string(name);
  }

  get names(): readonly string[] {
    return Object.keys(this.#fields);
  }

  /** Undefined if the field is absent, like `integer`. */
  oneOf<Choice extends string>(name: string, choices: readonly Choice[]): Choice | undefined {
    const value = this.#fields[name];
    if (value === undefined) return undefined;
    const choice = choices.find((one) => one === value);
    if (choice !== undefined) return choice;
    const near = typeof value === 'string' ? nearest(value, choices) : undefined;
    throw wrongField(
      this.#path + name,
      `one of ${choices.join(', ')}${near === undefined ? '' : `; did you mean "${near}"?`}`,
    );
  }

  integer(name: string, minimum: number, maximum: number): number | undefined {
    const value = this.#fields[name];
    if (value === undefined) return undefined;
    if (typeof value === 'number' && Number.isInteger(value) && value >= minimum && value <= maximum) return value;
    throw wrongField(this.#path + name, `a whole number from ${minimum} to ${maximum}`);
  }

  strings(name: string): string[] {
    const value = this.#fields[name];
    if (Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === 'string')) return value;
    throw wrongField(this.#path + name, 'a list of texts');
  }

  number(name: string, minimum: number): number {
    const value = this.#fields[name];
    if (typeof value === 'number' && Number.isFinite(value) && value >= minimum) return value;
    throw wrongField(this.#path + name, `a number of at least ${minimum}`);
  }
}

function wrongField(field: string, expected: string): StartError {
  const where = field === '' ? 'the specification' : field;
  return new StartError(
    'ConfigurationInvalid',
    `Environment variable ${RUNTIME_ENVIRONMENT.specification}: ${where} must be ${expected}${expected.endsWith('?') ? '' : '.'}`,
  );
}

function required(environment: Environment, name: string): string {
  const value = environment[name];
  if (value === undefined || value === '') {
    throw new StartError('ConfigurationInvalid', `Environment variable ${name} must be set.`);
  }
  return value;
}

function parseNumber(environment: Environment, name: string, otherwise: number, maximum: number): number {
  const text = environment[name];
  if (text === undefined || text === '') return otherwise;
  if (/^\d{1,10}$/.test(text) && Number(text) <= maximum) return Number(text);
  throw invalid(name, `a number up to ${maximum}`, text);
}

function parseLogLevel(environment: Environment): LogLevel {
  const text = environment[RUNTIME_ENVIRONMENT.logLevel] ?? 'info';
  const level = LOG_LEVELS.find((known) => known === text);
  if (level === undefined) throw invalid(RUNTIME_ENVIRONMENT.logLevel, `one of ${LOG_LEVELS.join(', ')}`, text);
  return level;
}

function invalid(name: string, expected: string, value: string): StartError {
  return new StartError('ConfigurationInvalid', `Environment variable ${name} must be ${expected} but is "${value}".`);
}
