/** Puts a gateway together, starts it, and ends it so that no request is lost. */
import { randomUUID } from 'node:crypto';
import type { Registry } from 'prom-client';
import type { Clock } from '../common/platform/clock.ts';
import { startHealthServer, type HealthServer } from '../common/platform/health-server.ts';
import type { Logger } from '../common/platform/logging.ts';
import type { GatewayConfiguration } from './configuration.ts';
import { Gateways } from './claims/gateways.ts';
import { AnnouncementIntake } from './control/announcement-intake.ts';
import { createControlServer, type ControlServer } from './control/control-server.ts';
import { KeyRing } from './control/key-ring.ts';
import { RoutesIntake } from './control/routes-intake.ts';
import { DemandReporter } from './demand/demand-reporter.ts';
import { closeServer, listen } from './listen.ts';
import { GatewayMetrics } from './metrics.ts';
import type { RevisionLoad } from './metrics/load-gauges.ts';
import { FirstRoutes } from './proxy/first-routes.ts';
import { connectPod } from './proxy/pod-connections.ts';
import { TrafficServer } from './proxy/traffic-server.ts';
import { SHUTTING_DOWN } from './proxy/turn.ts';
import { repeat } from './repeat.ts';
import { BarredPods } from './revision/barred-pods.ts';
import { EarlyAnnouncements } from './revision/early-announcements.ts';
import { Holdings } from './revision/holdings.ts';
import { Revision, type RevisionServices } from './revision/revision.ts';
import { RouteTable, type Listener } from './routing/route-table.ts';

const EXPIRY_MILLISECONDS = 1_000;
/** Before the last connections are cut, requests that still wait for a pod are turned away: for the answer to reach the client. */
const FAREWELL_MILLISECONDS = 1_000;

export interface GatewayOptions {
  readonly configuration: GatewayConfiguration;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly logger: Logger;
  readonly registry: Registry;
}

export interface Gateway {
  readonly ports: {
    readonly http: number;
    readonly external: number;
    readonly control: number;
    readonly metrics: number;
  };
  /** Serves on for the drain time, then takes no more connections and ends with its last request: those that still wait at the end are turned away. */
  close(): Promise<void>;
}

/** Resolves when all four ports listen; it is ready only once an operator sent routes. */
export async function startGateway({
  configuration,
  clock,
  random,
  logger,
  registry,
}: GatewayOptions): Promise<Gateway> {
  let phase: 'serving' | 'draining' | 'ending' = 'serving';
  const early = new EarlyAnnouncements();
  const barred = new BarredPods();
  const holdings = new Holdings(configuration.holding);
  const keys = new KeyRing();
  const firstRoutes = new FirstRoutes(clock);
  const reporter: DemandReporter = new DemandReporter(
    randomUUID(),
    clock,
    () => [...routes.announcements, ...early.all(clock.monotonic())],
    () => keys.ids,
  );
  const metrics: GatewayMetrics = new GatewayMetrics(registry, () => ({
    revisions: [...routes.revisions].map(loadOf),
    heldBytes: holdings.bytes,
    streams: reporter.readers,
    peers: gateways.connected,
    claims: control.claims,
    epoch: intake.epoch,
    confirmedAt: intake.age === undefined ? undefined : clock.now() - intake.age,
  }));
  const findOwners = (): void => {
    for (const revision of routes.revisions) revision.findOwner();
  };
  const gateways = new Gateways({ clock, random, token: configuration.controlToken, logger, onChange: findOwners });
  const services: RevisionServices = {
    clock,
    random,
    barred,
    holdings,
    mostRetries: configuration.mostRetries,
    ownerOf: (namespace, name) => gateways.ownerOf(namespace, name),
    connect: (address) =>
      connectPod(address, clock, (error) => {
        logger.error({ err: error }, 'Closing the connections to a pod failed');
      }),
  };
  const routes: RouteTable = new RouteTable(configuration.domains, (namespace, name, settings) => {
    const revision = new Revision(namespace, name, settings, reporter.ledger.meter(namespace, name), services);
    for (const announcement of early.take(namespace, name, clock.monotonic())) revision.announce(announcement);
    return revision;
  });
  const intake: RoutesIntake = new RoutesIntake(
    clock,
    routes,
    (named) => {
      gateways.update(named);
      findOwners();
    },
    (epoch, stream) => {
      logger.info({ epoch }, 'Took routes of a new epoch');
      control.greetAllBut(stream);
      firstRoutes.come();
    },
  );
  const control: ControlServer = createControlServer({
    controlToken: configuration.controlToken,
    announcements: {
      clock,
      metrics,
      logger,
      intake: new AnnouncementIntake({
        clock,
        keys,
        routes,
        early,
        barred,
        relay: (announcement) => {
          reporter.announce(announcement);
        },
      }),
    },
    streams: { gateway: configuration.name, reporter, intake, keys, logger },
    claims: { clock, routes, logger, count: (result) => metrics.claims.inc({ result }) },
  });
  const traffic = (listener: Listener): TrafficServer =>
    new TrafficServer(
      {
        listener,
        firstRoutes,
        maxConnections: configuration.maxConnections,
      },
      {
        clock,
        random,
        routes,
        holdings,
        metrics,
        maxBodyBytes: configuration.maxBodyBytes,
        timeoutMarginMilliseconds: configuration.timeoutMarginMilliseconds,
        isDraining: () => phase !== 'serving',
        isEnding: () => phase === 'ending',
      },
    );
  const servers = { http: traffic('cluster'), external: traffic('external') };
  const { host } = configuration;
  const open = async (): Promise<Gateway['ports'] & { readonly health: HealthServer }> => {
    const http = await servers.http.listen(configuration.ports.http, host);
    const external = await servers.external.listen(configuration.ports.external, host);
    const controlPort = await listen(control.server, configuration.ports.control, host);
    const health = await startHealthServer({
      ...(host === undefined ? {} : { host }),
      port: configuration.ports.metrics,
      registry,
      ready: () => {
        if (phase !== 'serving') return 'This gateway is shutting down.';
        return intake.epoch === 0 ? 'No operator has sent routes yet.' : undefined;
      },
    });
    return { http, external, control: controlPort, metrics: health.port, health };
  };
  const { health, ...ports } = await open().catch(async (error: unknown) => {
    // A port that is taken must end the process, and what already listens or ticks would keep it.
    reporter.close();
    await Promise.all([servers.http.close(0), servers.external.close(0), closeServer(control.server, clock, 0)]);
    throw error;
  });
  const cancelExpiry = repeat(clock, EXPIRY_MILLISECONDS, () => {
    intake.expireUnlisted();
  });

  const close = async (): Promise<void> => {
    phase = 'draining';
    control.endClaims();
    await new Promise<void>((resolve) => clock.after(configuration.drainMilliseconds, resolve));
    const { finishMilliseconds } = configuration;
    // A pod may come for them yet; only at the last they are told to go elsewhere, and are not simply cut off.
    const cancelEnding = clock.after(Math.max(0, finishMilliseconds - FAREWELL_MILLISECONDS), () => {
      phase = 'ending';
      for (const revision of routes.revisions) {
        revision.flush((waiter) => {
          waiter.denied(SHUTTING_DOWN.code, SHUTTING_DOWN.message);
        });
      }
    });
    // The operators hear of the requests until the last has ended, or they would remove the pods under them.
    await Promise.all([servers.http.close(finishMilliseconds), servers.external.close(finishMilliseconds)]);
    cancelEnding();
    cancelExpiry();
    reporter.close();
    control.endStreams();
    gateways.close();
    for (const revision of routes.revisions) revision.close();
    await closeServer(control.server, clock, 0);
    await health.close();
  };
  let closing: Promise<void> | undefined;
  return { ports, close: () => (closing ??= close()) };
}

function loadOf({ namespace, name, settings, tallied, meter, queued, queuedBytes }: Revision): RevisionLoad {
  const labels = { namespace, function: settings.functionName, revision: name };
  return { labels, tally: tallied, inFlight: meter.inFlight, queued, queuedBytes };
}
