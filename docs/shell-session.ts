/**
 * Runs what a page tells its reader to type: what stays (`npx pilotlight local` and `serve`, `kubectl port-forward` and `--watch`) in a terminal of its own,
 * everything else in another. It works in a folder that looks like a clone, and on ports of its own.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const STAYS = /^(?:npx pilotlight (?:local|serve) |kubectl .*(?:port-forward|--watch))/;
/** What shows that one of them works. */
const STANDS = / {2}Ready {2}| is ready at |^Forwarding from |^NAME /m;
/** These install, or run everything; the checks of the project themselves do that. */
const LEFT_OUT = /^(?:make|npm) /;
const NUMBER = String.raw`\d+(?:\.\d+)?`;
const WAIT_MILLISECONDS = 20_000;

export class ShellSession {
  readonly #folder = mkdtempSync(join(tmpdir(), 'pilotlight-docs-'));
  readonly #ports: { readonly gateway: number; readonly metrics: number };
  readonly #terminals: ChildProcess[] = [];
  /** By process, for one may write while another has not ended its line. */
  readonly #outputs = new Map<ChildProcess, string>();
  #told: () => void = () => undefined;

  static async start(): Promise<ShellSession> {
    const [gateway, metrics] = await Promise.all([freePort(), freePort()]);
    return new ShellSession({ gateway, metrics });
  }

  private constructor(ports: { readonly gateway: number; readonly metrics: number }) {
    this.#ports = ports;
    for (const name of ['examples', 'docs', 'charts']) symlinkSync(join(ROOT, name), join(this.#folder, name));
    // Of an option that is given twice the last one counts.
    const script = `#!/bin/sh
shift
case $1 in
  local) set -- "$@" --port ${ports.gateway} --metrics-port ${ports.metrics} ;;
  serve) set -- "$@" --port 0 --metrics-port 0 ;;
esac
exec '${process.execPath}' '${join(ROOT, 'cli/bin/pilotlight.cjs')}' "$@"
`;
    writeFileSync(join(this.#folder, 'npx'), script, { mode: 0o755 });
  }

  /** Rejects if a command fails. */
  async run(block: string): Promise<void> {
    const lines = block.split('\n').filter((line) => !LEFT_OUT.test(line));
    for (const line of lines.filter((each) => STAYS.test(each))) {
      this.#terminals.push(this.#spawn(`exec ${line.replace(/ &$/, '')}`));
      await this.expect(STANDS);
    }
    const script = lines.filter((line) => !STAYS.test(line)).join('\n');
    const [code] = (await once(this.#spawn(script), 'close')) as [number | null];
    if (code !== 0) throw new Error(`Exit code ${code} of:\n${script}\n${this.#output}`);
  }

  /** Waits for each line of it, in any terminal and order: `…` stands for anything, and a number for any other one. */
  async expectText(text: string): Promise<void> {
    for (const line of text.trimEnd().split('\n')) {
      const parts = this.#onOwnPorts(line).split(/(…|\d+(?:\.\d+)?)/);
      const pattern = parts.map((part, index) => (index % 2 === 0 ? escaped(part) : part === '…' ? '.*' : NUMBER));
      await this.expect(new RegExp(`^${pattern.join('')}`, 'm'));
    }
  }

  async expect(line: RegExp): Promise<void> {
    const deadline = performance.now() + WAIT_MILLISECONDS;
    while (!line.test(this.#output)) {
      const left = deadline - performance.now();
      if (left <= 0) throw new Error(`${String(line)} did not come in:\n${this.#output}`);
      await this.#more(left);
    }
  }

  /** What comes from now on is new. */
  forget(): void {
    this.#outputs.clear();
  }

  async close(): Promise<void> {
    for (const terminal of this.#terminals) {
      if (terminal.exitCode !== null || terminal.signalCode !== null) continue;
      const ended = once(terminal, 'close');
      terminal.kill('SIGTERM');
      await ended;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get #output(): string {
    return [...this.#outputs.values()].join('\n');
  }

  #more(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#told = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #spawn(script: string): ChildProcess {
    const path = [this.#folder, dirname(process.execPath), process.env['PATH']].join(delimiter);
    const child = spawn('bash', ['-euo', 'pipefail', '-c', this.#onOwnPorts(script)], {
      cwd: this.#folder,
      env: { ...process.env, PATH: path, PILOTLIGHT_GATEWAY: `http://127.0.0.1:${this.#ports.gateway}` },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#outputs.set(child, `${this.#outputs.get(child) ?? ''}${text}`);
        this.#told();
      });
    }
    return child;
  }

  #onOwnPorts(text: string): string {
    return text
      .replaceAll('127.0.0.1:8080', `127.0.0.1:${this.#ports.gateway}`)
      .replaceAll(' 8080:80', ` ${this.#ports.gateway}:80`)
      .replaceAll('127.0.0.1:9090', `127.0.0.1:${this.#ports.metrics}`);
  }
}

function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('There is no port.');
  return address.port;
}
