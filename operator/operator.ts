/** Wires the operator: the control loop to the gateways, both to a cluster, and all to the election. It decides nothing itself. */
import type { Registry } from 'prom-client';
import { COMPONENTS, LABELS, PRODUCT } from '../common/api/names.ts';
import type { Clock } from '../common/platform/clock.ts';
import { startHealthServer } from '../common/platform/health-server.ts';
import type { Logger } from '../common/platform/logging.ts';
import { watchCache } from './cluster/cache.ts';
import type { Cluster } from './cluster/port.ts';
import { PODS } from './cluster/resources.ts';
import type { OperatorConfiguration } from './configuration.ts';
import { startControllers, type Controllers } from './controllers/start-controllers.ts';
import type { ControlCredentials } from './credentials/control-credentials.ts';
import { ControlSecret, type StoredCredentials } from './credentials/control-secret.ts';
import { KeyRotation } from './credentials/key-rotation.ts';
import { gatewayAddresses } from './gateway-addresses.ts';
import { DemandLedger } from './gateways/demand-ledger.ts';
import { GatewayFleet } from './gateways/gateway-fleet.ts';
import type { GatewayAddress } from './gateways/gateway-stream.ts';
import { fencedCluster } from './leadership/fenced-cluster.ts';
import { LeaderMetrics } from './leadership/leader-metrics.ts';
import { LeaseElector } from './leadership/lease-elector.ts';
import { processIdentity } from './leadership/process-identity.ts';
import { askToDrain } from './pods/drain-client.ts';

export interface OperatorOptions {
  readonly configuration: OperatorConfiguration;
  /** Given, as in local mode, or the Secret that holds them. */
  readonly credentials: ControlCredentials | ControlSecret;
  readonly cluster: Cluster;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly logger: Logger;
  readonly registry: Registry;
  /** Why the view of the cluster is not to be trusted; undefined if it is. It makes this replica not ready, and changes nothing that it does. */
  readonly stale?: () => string | undefined;
}

export interface Operator {
  /** Of `/metrics`, `/healthz` and `/readyz`. */
  readonly healthPort: number;
  /** Ends every stream, watch and timer, then gives up the Lease. Pods stay, and gateways serve on with what they know. */
  close(): Promise<void>;
}

/** Resolves when everything that exists has been seen and the operator contends for the lead, which it gets at once where nobody has it. */
export async function startOperator(options: OperatorOptions): Promise<Operator> {
  const { configuration, cluster, clock, random, logger, registry } = options;
  const { namespace, name } = configuration;
  const ending = new AbortController();
  let controllers: Controllers | undefined;
  const health = await startHealthServer({
    port: configuration.healthPort,
    ...(configuration.healthHost === undefined ? {} : { host: configuration.healthHost }),
    registry,
    ready: () =>
      controllers === undefined ? 'The control Secret or the watches are not read yet.' : options.stale?.(),
  });

  const { credentials, stored } = await openCredentials(options.credentials).catch(async (error: unknown) => {
    await health.close();
    throw error;
  });
  let rotation: KeyRotation | undefined;
  const gatewayPods = watchCache({
    cluster,
    resource: PODS,
    // By both, for each is sent the control token: other products have gateways too.
    scope: { namespace, labels: { [LABELS.name]: PRODUCT, [LABELS.component]: COMPONENTS.gateway } },
    clock,
    logger,
    signal: ending.signal,
  });
  const gateways = (): readonly GatewayAddress[] => configuration.gateways ?? gatewayAddresses(gatewayPods.list());
  const ledger = new DemandLedger(clock.monotonic() / 1000);
  const fleet = new GatewayFleet({
    clock,
    random,
    token: credentials.token,
    operator: name,
    keys: credentials.signingKeys,
    ledger,
    claimEpoch: (atLeast) => elector.claimEpoch(atLeast),
    onAnnouncement: (announcement) => controllers?.announce(announcement),
    logger,
  });
  const elector = new LeaseElector({
    cluster,
    clock,
    random,
    namespace,
    identity: processIdentity(name, random),
    metrics: new LeaderMetrics(registry),
    logger,
    onStartedLeading: () => {
      if (ending.signal.aborted) return;
      controllers?.lead();
      fleet.lead();
      rotation?.lead();
    },
    onStoppedLeading: () => {
      fleet.follow();
      controllers?.follow();
    },
  });
  const close = async (): Promise<void> => {
    ending.abort();
    fleet.close();
    await rotation?.close();
    await controllers?.close();
    // Last, so that a successor begins when nothing is written from here any more.
    await elector.close();
    await health.close();
  };
  try {
    await gatewayPods.synced;
    const started = await startControllers({
      ...options,
      cluster: fencedCluster(cluster, () => elector.leads),
      demand: ledger,
      askToDrain: (address, token) => (elector.leads ? askToDrain(address, token) : Promise.resolve('Unreachable')),
      sink: fleet,
      gateways: () => gateways().map(({ host, controlPort }) => `${host}:${controlPort}`),
      images: configuration.images,
      url: configuration.url,
      signingKey: () => rotation?.signer() ?? credentials.signingKeys[0],
      logLevel: configuration.runtimeLogLevel,
      podSettings: configuration.runtimePods,
      budgets: configuration.budgets,
      gatewayHost: configuration.gatewayHost,
      operatorNamespace: configuration.namespace,
      networkPolicies: configuration.networkPolicies,
    });
    controllers = started;
    if (stored !== undefined) {
      rotation = new KeyRotation({
        ...stored,
        clock,
        random,
        held: () => fleet.heldKeys(),
        podsByKey: () => started.podsByKey(),
        leads: () => elector.leads,
        onToken: (token) => fleet.setToken(token),
        onKeys: (keys) => fleet.setKeys(keys),
        registry,
        logger,
      });
    }
  } catch (error) {
    await close();
    throw error;
  }
  gatewayPods.subscribe(() => fleet.setGateways(gateways()));
  fleet.setGateways(gateways());
  rotation?.start();
  elector.start();
  return { healthPort: health.port, close };
}

interface OpenedCredentials {
  readonly credentials: ControlCredentials;
  /** Absent where they were given. */
  readonly stored?: { readonly secret: ControlSecret; readonly opened: StoredCredentials };
}

async function openCredentials(given: ControlCredentials | ControlSecret): Promise<OpenedCredentials> {
  if (!(given instanceof ControlSecret)) return { credentials: given };
  const opened = await given.open();
  return { credentials: opened.credentials, stored: { secret: given, opened } };
}
