/** Puts gateway and operator into one process, on a cluster in memory whose pods are child processes of this machine. */
import { randomBytes } from 'node:crypto';
import { Registry } from 'prom-client';
import type { Clock } from '../../common/platform/clock.ts';
import type { LogLevel, Logger } from '../../common/platform/logging.ts';
import { GATEWAY_DEFAULTS } from '../../gateway/configuration.ts';
import { startGateway } from '../../gateway/start-gateway.ts';
import { MemoryCluster } from '../../operator/cluster/memory/memory-cluster.ts';
import { PRODUCT_RESOURCES } from '../../operator/cluster/memory/product-resources.ts';
import type { Cluster } from '../../operator/cluster/port.ts';
import { newCredentials } from '../../operator/credentials/control-credentials.ts';
import { startOperator } from '../../operator/operator.ts';
import { DEFAULT_POD_SETTINGS } from '../../operator/pods/pod-settings.ts';
import { localPods } from './local-pods.ts';

const HOST = '127.0.0.1';
const NAMESPACE = 'pilotlight-system';

export interface LocalPlatformOptions {
  /** Of the gateway and of `/metrics`; 0 takes a free one. */
  readonly ports: { readonly http: number; readonly metrics: number };
  /** Exists; everything that is written goes under it. */
  readonly directory: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly runtimeLogLevel: LogLevel;
  /** What a pod wrote. */
  readonly onPodLine: (pod: string, line: string) => void;
}

export interface LocalPlatform {
  readonly cluster: Cluster;
  /** `http://127.0.0.1:8080` */
  readonly gateway: string;
  /** Of gateway and operator together. */
  readonly metrics: string;
  /** Ends every pod, then the rest. */
  close(): Promise<void>;
}

/** Resolves when the gateway listens and the operator leads. */
export async function startLocalPlatform(options: LocalPlatformOptions): Promise<LocalPlatform> {
  const { ports, directory, clock, random, logger } = options;
  const registry = new Registry();
  const credentials = newCredentials(randomBytes, clock.now());
  const pods = localPods({ clock, directory, onLine: options.onPodLine });
  const cluster = new MemoryCluster({
    clock,
    random,
    resources: PRODUCT_RESOURCES,
    runner: pods,
    onHandlerError: (error) => logger.error({ err: error }, 'A watch handler failed'),
  });
  const closePods = async (): Promise<void> => {
    await cluster.close();
    await pods.close();
  };
  const gateway = await startGateway({
    configuration: {
      ...GATEWAY_DEFAULTS,
      name: 'local',
      controlToken: credentials.token,
      host: HOST,
      ports: { http: ports.http, external: 0, control: 0, metrics: ports.metrics },
      // Nobody else sends to this gateway, so nobody must learn first that it ends.
      drainMilliseconds: 0,
      finishMilliseconds: 5_000,
    },
    clock,
    random,
    logger: logger.child({ component: 'gateway' }),
    registry,
  }).catch(async (error: unknown) => {
    await closePods();
    throw error;
  });
  const address = `http://${HOST}:${gateway.ports.http}`;
  const operator = await startOperator({
    credentials,
    configuration: {
      name: 'local',
      namespace: NAMESPACE,
      images: { cpu: 'local', cuda: 'local' },
      url: (namespace, name, tag) => `${address}/functions/${namespace}/${tag === undefined ? '' : `${tag}--`}${name}`,
      gateways: [{ id: 'local', host: HOST, controlPort: gateway.ports.control }],
      healthPort: 0,
      healthHost: HOST,
      runtimeLogLevel: options.runtimeLogLevel,
      runtimePods: DEFAULT_POD_SETTINGS,
      budgets: [],
      gatewayHost: undefined,
      networkPolicies: false,
    },
    cluster,
    clock,
    random,
    logger: logger.child({ component: 'operator' }),
    registry,
  }).catch(async (error: unknown) => {
    await gateway.close();
    await closePods();
    throw error;
  });
  return {
    cluster,
    gateway: address,
    metrics: `http://${HOST}:${gateway.ports.metrics}/metrics`,
    close: async () => {
      await gateway.close();
      await operator.close();
      await closePods();
    },
  };
}
