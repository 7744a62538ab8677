/** A gateway as a process of its own, as in a cluster, and what stands between it and the operator. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, connect, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { GATEWAY_ENVIRONMENT } from '../../gateway/configuration.ts';

const PROGRAM = join(import.meta.dirname, '..', '..', 'dist', 'gateway.js');

interface Ports {
  readonly http: number;
  readonly control: number;
  readonly metrics: number;
}

export class GatewayProcess {
  readonly name: string;
  readonly ports: Ports;
  readonly #child: ChildProcess;

  private constructor(name: string, ports: Ports, child: ChildProcess) {
    this.name = name;
    this.ports = ports;
    this.#child = child;
  }

  static async start(name: string, controlToken: string, onLine: (line: string) => void): Promise<GatewayProcess> {
    const child = spawn(process.execPath, [PROGRAM], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: {
        [GATEWAY_ENVIRONMENT.name]: name,
        [GATEWAY_ENVIRONMENT.controlToken]: controlToken,
        [GATEWAY_ENVIRONMENT.host]: '127.0.0.1',
        [GATEWAY_ENVIRONMENT.httpPort]: '0',
        [GATEWAY_ENVIRONMENT.externalPort]: '0',
        [GATEWAY_ENVIRONMENT.controlPort]: '0',
        [GATEWAY_ENVIRONMENT.metricsPort]: '0',
        [GATEWAY_ENVIRONMENT.drainSeconds]: '0',
        [GATEWAY_ENVIRONMENT.finishSeconds]: '5',
      },
    });
    const ports = await new Promise<Ports>((resolve, reject) => {
      child.once('exit', (code) => reject(new Error(`Gateway ${name} ended with ${code}.`)));
      createInterface(child.stderr).on('line', (line) => {
        onLine(line);
        if (line.includes('"Gateway started"')) resolve((JSON.parse(line) as { ports: Ports }).ports);
      });
    });
    return new GatewayProcess(name, ports, child);
  }

  /** It does nothing at all from now on, and its connections stay open. */
  pause(): void {
    this.#child.kill('SIGSTOP');
  }

  resume(): void {
    this.#child.kill('SIGCONT');
  }

  async close(): Promise<void> {
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await exited;
  }
}

/** Passes connections on to a port of this machine, until they are cut. */
export class Relay {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Connections that there have been. */
  count = 0;

  private constructor(server: Server, target: number) {
    this.#server = server;
    server.on('connection', (near) => {
      this.count += 1;
      const far = connect(target, '127.0.0.1');
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(one);
        one.setNoDelay(true);
        one.pipe(other);
        one.on('error', () => other.destroy());
        one.on('close', () => {
          this.#sockets.delete(one);
          other.destroy();
        });
      }
    });
  }

  static async start(target: number): Promise<Relay> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Relay(server, target);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.#server.close();
    this.cut();
    await once(this.#server, 'close');
  }
}
