/** The runtime's servers, each on its port: inference by HTTP and gRPC for gateways, control for the operator, metrics and probes for the cluster. */
import { startHealthServer } from '../../common/platform/health-server.ts';
import { StartError } from '../inference.ts';
import { startGrpcListener } from '../grpc/grpc-listener.ts';
import { startControlServer } from './control-server.ts';
import { createInferenceServer, type InferenceServerOptions } from './inference-server.ts';
import { createMetrics, type RuntimeMetrics } from './metrics.ts';

export interface ServersOptions extends Omit<InferenceServerOptions, 'metrics'> {
  /** 0 takes any free port. */
  readonly ports: { readonly http: number; readonly grpc: number; readonly control: number; readonly metrics: number };
  /** Resolves when the model is warm. */
  readonly warm: Promise<unknown>;
  /** Every address of the machine if undefined. */
  readonly host: string | undefined;
  /** No control server without it. */
  readonly drainToken: string | undefined;
}

export interface Servers {
  readonly ports: { readonly http: number; readonly grpc: number; readonly control?: number; readonly metrics: number };
  readonly metrics: RuntimeMetrics;
  /** Streams answer what they have and end; requests that are in flight go on. */
  endStreams(): void;
  /** Closes every connection. */
  close(): Promise<void>;
}

/** Rejects with StartError, and leaves nothing open, if one of the ports cannot be had. */
export async function startServers(options: ServersOptions): Promise<Servers> {
  const { gate, host, ports, drainToken } = options;
  const metrics = createMetrics(options.name, options.version, gate, options.clock);
  const closing: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(closing.map((closeOne) => closeOne()));
  };
  const had = async <Server extends { close(): Promise<void> }>(
    what: string,
    port: number,
    starting: Promise<Server>,
  ): Promise<Server> => {
    const server = await starting.catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      throw new StartError('ConfigurationInvalid', `The ${what} port ${port} cannot be listened on: ${reason}`);
    });
    closing.push(() => server.close());
    return server;
  };
  try {
    const [http, grpc, control, health] = await Promise.all([
      had('HTTP', ports.http, startInference({ ...options, metrics }, ports.http, host)),
      had('gRPC', ports.grpc, startGrpcListener({ ...options, metrics, port: ports.grpc })),
      drainToken === undefined
        ? undefined
        : had('control', ports.control, startControlServer({ gate, drainToken, port: ports.control, host })),
      had(
        'metrics',
        ports.metrics,
        startHealthServer({
          port: ports.metrics,
          ...(host !== undefined && { host }),
          registry: metrics.registry,
          ready: () => (gate.phase === 'Ready' ? undefined : `The runtime is ${gate.phase.toLowerCase()}.`),
        }),
      ),
    ]);
    return {
      ports: {
        http: http.port,
        grpc: grpc.port,
        ...(control !== undefined && { control: control.port }),
        metrics: health.port,
      },
      metrics,
      endStreams: () => grpc.endStreams(),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function startInference(
  options: InferenceServerOptions,
  port: number,
  host: string | undefined,
): Promise<{ readonly port: number; close(): Promise<void> }> {
  const server = createInferenceServer(options);
  return { port: await server.listen(port, host), close: () => server.close() };
}
