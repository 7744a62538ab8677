import { systemClock } from '../../../common/platform/clock.ts';
import { kubernetesConformanceSubject } from './testing/conformance-subject.ts';
import { describeCacheFaults } from './testing/describe-cache-faults.ts';
import { startFaultingRelay } from './testing/faulting-relay.ts';

describeCacheFaults('the API server of $KUBECONFIG', async () => {
  const kubeconfigPath = process.env['KUBECONFIG'] ?? '';
  const { cluster, namespace, stop } = await kubernetesConformanceSubject(kubeconfigPath);
  const relay = await startFaultingRelay({ kubeconfigPath }, systemClock);
  return {
    direct: cluster,
    relay,
    namespace,
    stop: async () => {
      await relay.close();
      await stop();
    },
  };
});
