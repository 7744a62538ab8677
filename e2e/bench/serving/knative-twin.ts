/** What Knative runs to do the same as a pod of a function: its container, on ports that Knative's own container in the same pod has no use for. */
import { RUNTIME_ENVIRONMENT } from '../../../common/wire/runtime-environment.ts';
import type { Container } from '../../../operator/cluster/resources.ts';
import { RUNTIME_PORTS } from '../../../operator/pods/runtime-ports.ts';

const KNATIVE_RUNTIME_PORTS = { ...RUNTIME_PORTS, metrics: 19_090, control: 19_091 };

export function twinContainer(image: string, ours: Container | undefined): Omit<Container, 'name'> {
  const { specification, modelDirectory, httpPort, grpcPort, metricsPort, controlPort, logLevel } = RUNTIME_ENVIRONMENT;
  const same = (ours?.env ?? []).filter(({ name }) =>
    [specification, modelDirectory, logLevel].includes(name as never),
  );
  const { http, grpc, metrics, control } = KNATIVE_RUNTIME_PORTS;
  const ports = { [httpPort]: http, [grpcPort]: grpc, [metricsPort]: metrics, [controlPort]: control };
  return {
    image,
    imagePullPolicy: 'IfNotPresent',
    env: [...same, ...Object.entries(ports).map(([name, port]) => ({ name, value: String(port) }))],
    ports: [{ containerPort: http }],
    readinessProbe: { httpGet: { path: '/v2/health/ready', port: http } },
  };
}
