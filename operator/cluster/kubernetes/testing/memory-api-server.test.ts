import { systemClock } from '../../../../common/platform/clock.ts';
import { createLogger } from '../../../../common/platform/logging.ts';
import { describeClusterConformance } from '../../conformance/describe-cluster-conformance.ts';
import { MemoryCluster } from '../../memory/memory-cluster.ts';
import { PRODUCT_RESOURCES } from '../../memory/product-resources.ts';
import { kubernetesCluster } from '../kubernetes-cluster.ts';
import { startFaultingRelay } from './faulting-relay.ts';
import { startMemoryApiServer } from './memory-api-server.ts';

describeClusterConformance('The adapter, on an in-memory cluster behind HTTP,', async () => {
  const memory = new MemoryCluster({ clock: systemClock, random: Math.random, resources: PRODUCT_RESOURCES });
  const server = await startMemoryApiServer(memory, systemClock);
  const relay = await startFaultingRelay({ url: server.url }, systemClock);
  const cluster = kubernetesCluster({
    kubeconfigPath: relay.kubeconfigPath,
    clock: systemClock,
    logger: createLogger('test', 'silent'),
    random: Math.random,
  });
  return {
    cluster,
    namespace: 'one',
    otherNamespace: 'other',
    breakConnections: () => {
      relay.cut();
      return Promise.resolve();
    },
    stop: async () => {
      await cluster.close();
      await relay.close();
      await server.close();
      await memory.close();
    },
  };
});
