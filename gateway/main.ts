/** The gateway as a process: configuration from the environment, an orderly end on SIGTERM. */
import { hostname } from 'node:os';
import { Registry } from 'prom-client';
import { systemClock } from '../common/platform/clock.ts';
import { createLogger } from '../common/platform/logging.ts';
import { collectProcessMetrics } from '../common/platform/process-metrics.ts';
import { readConfiguration, readLogLevel } from './configuration.ts';
import { startGateway } from './start-gateway.ts';

const logger = createLogger('gateway', readLogLevel(process.env));
const registry = new Registry();
collectProcessMetrics(registry);

const gateway = await startGateway({
  configuration: readConfiguration(process.env, hostname()),
  clock: systemClock,
  random: Math.random,
  logger,
  registry,
});
logger.info({ ports: gateway.ports }, 'Gateway started');

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    logger.info({ signal }, 'Gateway began to end');
    gateway.close().then(
      () => process.exit(0),
      (error: unknown) => {
        logger.fatal({ err: error }, 'Ending failed');
        process.exit(1);
      },
    );
  });
}
