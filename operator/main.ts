/** The operator as a process: configuration from the environment, an orderly end on SIGTERM. */
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { Registry } from 'prom-client';
import { systemClock, type Clock } from '../common/platform/clock.ts';
import { createLogger } from '../common/platform/logging.ts';
import { collectProcessMetrics } from '../common/platform/process-metrics.ts';
import { kubernetesCluster } from './cluster/kubernetes/kubernetes-cluster.ts';
import { staleWatches } from './cluster/kubernetes/stale-watches.ts';
import { watchMetrics } from './cluster/kubernetes/watch-metrics.ts';
import { OPERATOR_ENVIRONMENT, readConfiguration, readControlSecret, readLogLevel } from './configuration.ts';
import { ControlSecret } from './credentials/control-secret.ts';
import { startOperator } from './operator.ts';

const logger = createLogger('operator', readLogLevel(process.env, OPERATOR_ENVIRONMENT.logLevel));
const registry = new Registry();
collectProcessMetrics(registry);

const configuration = readConfiguration(process.env, hostname());
const kubeconfigPath = process.env[OPERATOR_ENVIRONMENT.kubeconfig];
const random = Math.random;
const cluster = kubernetesCluster({
  ...(kubeconfigPath === undefined ? {} : { kubeconfigPath }),
  clock: systemClock,
  logger,
  random,
});
// Objects' timestamps are the API server's.
const clock: Clock = { ...systemClock, now: () => cluster.now() };
watchMetrics(registry, systemClock, () => cluster.watches());
const credentials = new ControlSecret({
  cluster,
  namespace: configuration.namespace,
  ...readControlSecret(process.env),
  clock,
  random,
  randomBytes,
  logger,
});

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;
// One that waits for the API server to start holds nothing yet; as process 1 of a container it would not be ended by a signal without this.
const leave = (): void => process.exit(0);
for (const signal of SIGNALS) process.once(signal, leave);
const operator = await startOperator({
  configuration,
  credentials,
  cluster,
  clock,
  random,
  logger,
  registry,
  stale: () => staleWatches(cluster.watches(), clock.monotonic()),
});
logger.info({ healthPort: operator.healthPort }, 'Operator started');

for (const signal of SIGNALS) {
  process.off(signal, leave);
  process.once(signal, () => {
    logger.info({ signal }, 'Operator began to end');
    operator
      .close()
      .then(() => cluster.close())
      .then(
        () => process.exit(0),
        (error: unknown) => {
          logger.fatal({ err: error }, 'Ending failed');
          process.exit(1);
        },
      );
  });
}
