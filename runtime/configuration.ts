/** The runtime's environment as a typed value. What is wrong with it is a StartError that names the variable. */
import { LOG_LEVELS, type LogLevel } from '../common/platform/logging.ts';
import { RUNTIME_ENVIRONMENT, type RuntimeSpecification } from '../common/wire/runtime-environment.ts';
import { parseGatewayAddresses, type GatewayAddress } from './announce/gateway-address.ts';
import { StartError } from './inference.ts';
import { parseSpecification } from './specification.ts';

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
