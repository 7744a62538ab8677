/** A gateway as a process of its own, as in a cluster, which can be stopped in the middle of everything. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
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

  static async start(
    name: string,
    controlToken: string,
    onLine: (line: string) => void,
    environment: Readonly<Record<string, string>> = {},
  ): Promise<GatewayProcess> {
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
        ...environment,
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

  get pid(): number | undefined {
    return this.#child.pid;
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
