import { describeClusterConformance } from '../conformance/describe-cluster-conformance.ts';
import { kubernetesConformanceSubject } from './testing/conformance-subject.ts';

describeClusterConformance('The API server of $KUBECONFIG', () => {
  const path = process.env['KUBECONFIG'];
  if (path === undefined || path === '')
    throw new Error('Set KUBECONFIG to the kubeconfig of a cluster to test against.');
  return kubernetesConformanceSubject(path);
});
