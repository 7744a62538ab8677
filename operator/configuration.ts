/** What an operator can be told, where from, and within which bounds. */
import type { RuntimeImages } from '../common/api/defaults.ts';
import { quantityBytes } from '../common/api/quantity.ts';
import { LOG_LEVELS, type LogLevel } from '../common/platform/logging.ts';
import { parseBudgets, type Budget } from './capacity/budget.ts';
import type { FunctionUrl } from './controllers/function-status.ts';
import type { GatewayAddress } from './gateways/gateway-stream.ts';
import {
  DEFAULT_POD_SETTINGS,
  IMAGE_PULL_POLICIES,
  type ImagePullPolicy,
  type PodSettings,
} from './pods/pod-settings.ts';

export interface OperatorConfiguration {
  /** Who this replica is: the pod's name. */
  readonly name: string;
  /** Where the operator, its Lease and the gateways are. */
  readonly namespace: string;
  readonly images: RuntimeImages;
  /** Where callers reach a function; its status shows it. */
  readonly url: FunctionUrl;
  /** Where gateways are when they are no pods, as in local mode; undefined: they are looked for. */
  readonly gateways: readonly GatewayAddress[] | undefined;
  /** Of `/metrics`, `/healthz` and `/readyz`; 0 takes any free port. */
  readonly healthPort: number;
  /** To listen on; undefined is every address. */
  readonly healthHost: string | undefined;
  /** Of the runtimes. */
  readonly runtimeLogLevel: LogLevel;
  readonly runtimePods: PodSettings;
  /** Of resources that the pods may only have so much of. */
  readonly budgets: readonly Budget[];
  /** DNS name of the gateways' Service, where the functions' own Services lead; undefined: functions have none, as in local mode. */
  readonly gatewayHost: string | undefined;
  /** Whether namespaces with functions have a NetworkPolicy; if not, those that have one lose it. */
  readonly networkPolicies: boolean;
}

export const OPERATOR_ENVIRONMENT = {
  name: 'PILOTLIGHT_OPERATOR_NAME',
  /** Required. */
  namespace: 'PILOTLIGHT_NAMESPACE',
  /** Name of the Secret of the control token and the signing keys; it is made if there is none. */
  controlSecret: 'PILOTLIGHT_CONTROL_SECRET',
  /** Days after which the leader replaces the signing key; 0: never by itself. */
  keyRotationDays: 'PILOTLIGHT_KEY_ROTATION_DAYS',
  /** The gateways' Service, in the operator's namespace. */
  gatewayService: 'PILOTLIGHT_GATEWAY_SERVICE',
  clusterDomain: 'PILOTLIGHT_CLUSTER_DOMAIN',
  networkPolicies: 'PILOTLIGHT_NETWORK_POLICIES',
  /** Required. */
  runtimeImage: 'PILOTLIGHT_RUNTIME_IMAGE',
  /** The runtime image's by default, in which CUDA is not there and CPU serves. */
  cudaRuntimeImage: 'PILOTLIGHT_CUDA_RUNTIME_IMAGE',
  healthPort: 'PILOTLIGHT_METRICS_PORT',
  logLevel: 'PILOTLIGHT_LOG_LEVEL',
  runtimeLogLevel: 'PILOTLIGHT_RUNTIME_LOG_LEVEL',
  imagePullPolicy: 'PILOTLIGHT_RUNTIME_IMAGE_PULL_POLICY',
  /** Separated by commas. */
  imagePullSecrets: 'PILOTLIGHT_RUNTIME_IMAGE_PULL_SECRETS',
  safeToEvict: 'PILOTLIGHT_RUNTIME_SAFE_TO_EVICT',
  readOnlyRootFilesystem: 'PILOTLIGHT_RUNTIME_READ_ONLY_ROOT_FILESYSTEM',
  modelCacheSize: 'PILOTLIGHT_RUNTIME_MODEL_CACHE_SIZE',
  scrapeAnnotations: 'PILOTLIGHT_RUNTIME_SCRAPE_ANNOTATIONS',
  /** Separated by commas: `nvidia.com/gpu=8`, or for one namespace `research:nvidia.com/gpu=2`. */
  budgets: 'PILOTLIGHT_RUNTIME_BUDGETS',
  /** Outside of a cluster. */
  kubeconfig: 'KUBECONFIG',
} as const;

const HEALTH_PORT = 9090;
const CONTROL_SECRET = 'pilotlight-control';
const KEY_ROTATION_DAYS = 90;
const MOST_KEY_ROTATION_DAYS = 3650;
const GATEWAY_SERVICE = 'pilotlight-gateway';
const CLUSTER_DOMAIN = 'cluster.local';
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

type Environment = Readonly<Record<string, string | undefined>>;

/** Throws an Error that names the variable and what was expected. */
export function readConfiguration(environment: Environment, hostname: string): OperatorConfiguration {
  const names = OPERATOR_ENVIRONMENT;
  const required = (variable: string, what: string): string => {
    const given = environment[variable] ?? '';
    if (given === '') throw new Error(`${variable} is not set: it must hold ${what}.`);
    return given;
  };
  const image = required(names.runtimeImage, "the runtime's container image");
  const namespace = required(names.namespace, 'the namespace of the operator');
  return {
    name: environment[names.name] ?? hostname,
    namespace,
    images: { cpu: image, cuda: environment[names.cudaRuntimeImage] ?? image },
    url: serviceUrl,
    gateways: undefined,
    healthPort: parsePort(names.healthPort, environment[names.healthPort]),
    healthHost: undefined,
    runtimeLogLevel: readLogLevel(environment, names.runtimeLogLevel),
    runtimePods: readPodSettings(environment),
    budgets: parseBudgets(names.budgets, environment[names.budgets]),
    gatewayHost: readGatewayHost(environment, namespace),
    networkPolicies: parseBoolean(names.networkPolicies, environment[names.networkPolicies], true),
  };
}

/** The Secret of the control token and the signing keys. */
export function readControlSecret(environment: Environment): { readonly name: string; readonly rotationDays: number } {
  const variable = OPERATOR_ENVIRONMENT.controlSecret;
  const name = environment[variable] ?? CONTROL_SECRET;
  if (name.length > 253 || !SUBDOMAIN.test(name))
    throw new Error(`${variable} is ${JSON.stringify(name)} but must be the name of a Secret: a DNS subdomain.`);
  return { name, rotationDays: parseRotationDays(environment[OPERATOR_ENVIRONMENT.keyRotationDays]) };
}

function parseRotationDays(given = String(KEY_ROTATION_DAYS)): number {
  const days = Number(given);
  if (given !== '' && Number.isInteger(days) && days >= 0 && days <= MOST_KEY_ROTATION_DAYS) return days;
  const variable = OPERATOR_ENVIRONMENT.keyRotationDays;
  throw new Error(
    `${variable} is ${JSON.stringify(given)} but must be an integer from 0 to ${MOST_KEY_ROTATION_DAYS}.`,
  );
}

export function readLogLevel(environment: Environment, variable: string): LogLevel {
  const given = environment[variable] ?? 'info';
  const level = LOG_LEVELS.find((one) => one === given);
  if (level !== undefined) return level;
  throw new Error(`${variable} is ${JSON.stringify(given)} but must be one of ${LOG_LEVELS.join(', ')}.`);
}

function readGatewayHost(environment: Environment, namespace: string): string {
  const { gatewayService, clusterDomain } = OPERATOR_ENVIRONMENT;
  const service = environment[gatewayService] ?? GATEWAY_SERVICE;
  const domain = environment[clusterDomain] ?? CLUSTER_DOMAIN;
  if (!SUBDOMAIN.test(service) || service.length > 63 || service.includes('.')) {
    throw new Error(`${gatewayService} is ${JSON.stringify(service)} but must be the name of a Service: a DNS label.`);
  }
  if (!SUBDOMAIN.test(domain) || domain.length > 120) {
    throw new Error(`${clusterDomain} is ${JSON.stringify(domain)} but must be a domain of at most 120 characters.`);
  }
  return `${service}.${namespace}.svc.${domain}`;
}

function readPodSettings(environment: Environment): PodSettings {
  const { imagePullPolicy, imagePullSecrets, safeToEvict, readOnlyRootFilesystem, modelCacheSize, scrapeAnnotations } =
    OPERATOR_ENVIRONMENT;
  return {
    imagePullPolicy: parsePullPolicy(imagePullPolicy, environment[imagePullPolicy]),
    imagePullSecrets: parseNames(imagePullSecrets, environment[imagePullSecrets]),
    safeToEvict: parseBoolean(safeToEvict, environment[safeToEvict], DEFAULT_POD_SETTINGS.safeToEvict),
    readOnlyRootFilesystem: parseBoolean(
      readOnlyRootFilesystem,
      environment[readOnlyRootFilesystem],
      DEFAULT_POD_SETTINGS.readOnlyRootFilesystem,
    ),
    modelCacheSize: parseSize(modelCacheSize, environment[modelCacheSize]),
    scrapeAnnotations: parseBoolean(
      scrapeAnnotations,
      environment[scrapeAnnotations],
      DEFAULT_POD_SETTINGS.scrapeAnnotations,
    ),
  };
}

/** Of whole bytes, at least one. */
function parseSize(variable: string, given = DEFAULT_POD_SETTINGS.modelCacheSize): string {
  if ((quantityBytes(given) ?? 0) >= 1) return given;
  throw new Error(`${variable} is ${JSON.stringify(given)} but must be a quantity of bytes, for example 16Gi.`);
}

/** The Service of the function, `http://digits.default`; a tag is a name of the same kind. */
function serviceUrl(namespace: string, name: string, tag?: string): string {
  return `http://${tag === undefined ? '' : `${tag}--`}${name}.${namespace}`;
}

function parsePort(variable: string, given = String(HEALTH_PORT)): number {
  const port = Number(given);
  if (given !== '' && Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new Error(`${variable} is ${JSON.stringify(given)} but must be an integer from 0 to 65535.`);
}

function parseBoolean(variable: string, given: string | undefined, byDefault: boolean): boolean {
  if (given === undefined) return byDefault;
  if (given === 'true' || given === 'false') return given === 'true';
  throw new Error(`${variable} is ${JSON.stringify(given)} but must be true or false.`);
}

function parsePullPolicy(variable: string, given = ''): ImagePullPolicy | undefined {
  const policy = IMAGE_PULL_POLICIES.find((one) => one === given);
  if (policy !== undefined || given === '') return policy;
  throw new Error(`${variable} is ${JSON.stringify(given)} but must be one of ${IMAGE_PULL_POLICIES.join(', ')}.`);
}

/** Of Secrets, which are DNS subdomains. */
function parseNames(variable: string, given = ''): readonly string[] {
  if (given.trim() === '') return [];
  const names = given.split(',').map((name) => name.trim());
  const wrong = names.find((name) => name.length > 253 || !SUBDOMAIN.test(name));
  if (wrong === undefined) return names;
  throw new Error(`${variable} has ${JSON.stringify(wrong)} but must be names of Secrets, separated by commas.`);
}
