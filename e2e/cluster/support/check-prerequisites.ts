/** Ends with a message and the way out where the end-to-end tests cannot run: no cluster, no kubectl or helm, nothing installed. */
import { spawnSync } from 'node:child_process';
import { deployment, GATEWAY, OPERATOR } from './installation.ts';
import { kubectl } from './kubectl.ts';

if ((process.env['KUBECONFIG'] ?? '') === '') {
  fail(
    'Set KUBECONFIG to the kubeconfig of a cluster to test against, for example: kind get kubeconfig >/tmp/kind.yaml && KUBECONFIG=/tmp/kind.yaml make e2e',
  );
}
const PROGRAMS = [
  { name: 'kubectl', args: ['version', '--client'], from: 'https://kubernetes.io/docs/tasks/tools' },
  { name: 'helm', args: ['version'], from: 'https://helm.sh/docs/intro/install' },
];
for (const { name, args, from } of PROGRAMS) {
  if (spawnSync(name, args).status !== 0) fail(`${name} is needed and does not run: install it from ${from}`);
}
try {
  await kubectl(['get', '--raw', '/readyz', '--request-timeout=10s']);
  for (const name of [OPERATOR, GATEWAY] as const) {
    const { spec, status } = await deployment(name);
    const [available, wanted] = [status?.availableReplicas ?? 0, spec.replicas ?? 1];
    if (available < wanted)
      fail(`Deployment ${name} has ${available} of ${wanted} replicas: wait, or look at its pods.`);
  }
} catch (error) {
  fail(error instanceof Error ? error.message : String(error));
}

function fail(message: string): never {
  console.error(message);
  process.exit(2);
}
