/** A runtime for each model of the seeds, and one gateway in front of them all. */
import { join } from 'node:path';
import { RUNTIME_ENVIRONMENT } from '../../common/wire/runtime-environment.ts';
import { GATEWAY_ENVIRONMENT } from '../../gateway/configuration.ts';
import { functionRoute, revisionRoute } from '../../gateway/testing/gateway-fixture.ts';
import { StubOperator } from '../../gateway/testing/stub-operator.ts';
import { MeasuredProcess } from '../server/measured-process.ts';
import { freePort, startRuntime, untilReady, type RuntimeServer, type Workplace } from '../server/start-runtime.ts';
import { grpcTarget, type GrpcPort } from './grpc/grpc-target.ts';
import { httpTarget } from './http-target.ts';
import { SEEDS, type Seed } from './seeds.ts';
import type { Target } from './target.ts';

const PROGRAM = join(import.meta.dirname, '..', '..', 'dist', 'gateway.js');
const TOKEN = 'fuzz';

interface Pod {
  readonly seed: Seed;
  readonly server: RuntimeServer;
}

/** Each model by HTTP, by gRPC, and by gRPC through the gateway, which ends with the process of its operator: this one. */
export async function startTargets(workplace: Workplace): Promise<readonly Target[]> {
  const pods = await Promise.all(SEEDS.map((seed) => startPod(workplace, seed)));
  const gateway = await startGateway(workplace, pods);
  return pods.flatMap(({ seed, server }) => [
    httpTarget(seed, server),
    grpcTarget(seed, grpcPortOf(seed, server)),
    grpcTarget(seed, gateway),
  ]);
}

async function startPod(workplace: Workplace, seed: Seed): Promise<Pod> {
  const names = RUNTIME_ENVIRONMENT;
  const server = await startRuntime(
    workplace,
    seed,
    {},
    {
      [names.podName]: `${seed.name}-00001-0`,
      [names.podUid]: `uid-${seed.name}`,
      [names.podHost]: '127.0.0.1',
      [names.gateways]: '',
      [names.announceToken]: TOKEN,
      [names.drainToken]: TOKEN,
      [names.controlPort]: '0',
    },
  );
  return { seed, server };
}

function grpcPortOf({ name }: Seed, { process, grpcPort, metricsPort }: RuntimeServer): GrpcPort {
  return { server: name, process, port: grpcPort, metricsPort, gauge: 'pilotlight_runtime_requests_in_flight' };
}

async function startGateway(workplace: Workplace, pods: readonly Pod[]): Promise<GrpcPort> {
  const [port, control, metricsPort] = [await freePort(), await freePort(), await freePort()];
  const names = GATEWAY_ENVIRONMENT;
  const process = new MeasuredProcess(globalThis.process.execPath, [PROGRAM], {
    environment: {
      NODE_ENV: 'production',
      [names.controlToken]: TOKEN,
      [names.host]: '127.0.0.1',
      [names.httpPort]: String(port),
      [names.externalPort]: '0',
      [names.controlPort]: String(control),
      [names.metricsPort]: String(metricsPort),
      [names.logLevel]: 'error',
    },
  });
  workplace.own(process);
  await untilReady(process, metricsPort, '/healthz');
  const operator = new StubOperator(control, TOKEN);
  const functions = pods.map(({ seed: { name }, server }) => {
    const ports = { http: server.port, grpc: server.grpcPort, control: 1 };
    const pod = { name: `${name}-00001-0`, uid: `uid-${name}`, state: 'Ready' as const, host: '127.0.0.1', ports };
    return functionRoute({ name, revisions: [revisionRoute([pod], { name: `${name}-00001` })] });
  });
  operator.routes(1, functions);
  await untilReady(process, metricsPort, '/readyz');
  return { server: 'gateway', process, port, metricsPort, gauge: 'pilotlight_gateway_requests_in_flight' };
}
