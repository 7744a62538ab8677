/** Starts `pilotlight local` as a user would, and ends it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const COMMAND = join(import.meta.dirname, '..', 'cli', 'bin', 'pilotlight.cjs');

export interface LocalProcess {
  readonly gateway: string;
  readonly metrics: string;
  /** Rejects when the process ends before it is told to. */
  readonly failed: Promise<never>;
  end(): Promise<void>;
}

/** Resolves once it has said where it listens. */
export async function startLocal(paths: readonly string[], onLine: (line: string) => void): Promise<LocalProcess> {
  const child = spawn(process.execPath, [COMMAND, 'local', ...paths, '--port', '0', '--metrics-port', '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const failed = exited.then(([code]: unknown[]) => {
    throw new Error(`pilotlight local ended by itself with exit code ${String(code)}.`);
  });
  failed.catch(() => undefined);
  const addresses = new Map<string, string>();
  const listening = new Promise<void>((resolve) => {
    createInterface(child.stdout).on('line', (line) => {
      const [, name, url] = /^(Gateway|Metrics) {2}(\S+)$/.exec(line) ?? [];
      if (name === undefined || url === undefined) return onLine(line);
      addresses.set(name, url);
      if (addresses.size === 2) resolve();
    });
  });
  await Promise.race([listening, failed]);
  return {
    gateway: addresses.get('Gateway') ?? '',
    metrics: addresses.get('Metrics') ?? '',
    failed,
    async end() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}
