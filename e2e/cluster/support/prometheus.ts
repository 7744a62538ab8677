/** A real Prometheus on this machine that scrapes pods of the cluster and evaluates rules, and its `promtool`. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dump } from 'js-yaml';
import { BackgroundProcess } from './background-process.ts';

export interface PrometheusConfig {
  readonly scrape_configs: readonly object[];
  readonly rule_files: readonly string[];
}

export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface AlertLabels {
  readonly namespace?: string;
  readonly function?: string;
}

export interface RuleState {
  readonly name: string;
  readonly health: 'ok' | 'err' | 'unknown';
  readonly lastError?: string;
  /** Of an alerting rule. */
  readonly alerts?: readonly { readonly labels: AlertLabels }[];
}

/** Throws with the way out where one of the programs is missing. */
export function checkPrometheusPrograms(): void {
  for (const program of ['prometheus', 'promtool']) {
    if (spawnSync(program, ['--version']).status === 0) continue;
    throw new Error(
      `${program} is needed and does not run: scripts/install-prometheus.sh installs it on Debian, https://prometheus.io/download has it for others.`,
    );
  }
}

/** What promtool complains of, in lines; none if it is content. */
export function promtool(args: readonly string[], input = ''): string[] {
  const { status, stdout, stderr, error } = spawnSync('promtool', args, { input, encoding: 'utf8' });
  if (error !== undefined) throw error;
  return status === 0 ? [] : `${stdout}\n${stderr}`.split('\n').filter((line) => line !== '');
}

export class Prometheus {
  readonly #process: BackgroundProcess;
  readonly #address: string;
  readonly #folder: string;

  private constructor(process: BackgroundProcess, address: string, folder: string) {
    this.#process = process;
    this.#address = address;
    this.#folder = folder;
  }

  /** Scrapes and evaluates every `seconds`. */
  static async start(config: PrometheusConfig, seconds: number): Promise<Prometheus> {
    checkPrometheusPrograms();
    const folder = mkdtempSync(join(tmpdir(), 'pilotlight-prometheus-'));
    const file = join(folder, 'prometheus.yml');
    const interval = `${seconds}s`;
    const global = { scrape_interval: interval, scrape_timeout: interval, evaluation_interval: interval };
    writeFileSync(file, dump({ global, ...config }));
    const process = new BackgroundProcess('prometheus', [
      `--config.file=${file}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      '--web.listen-address=127.0.0.1:0',
    ]);
    const [address] = await Promise.all([
      process.says(/msg="Listening on" address=(\S+)/),
      process.says(/Server is ready to receive web requests/),
    ]);
    return new Prometheus(process, address, folder);
  }

  /** As it is now. */
  async query(expression: string): Promise<Sample[]> {
    const data = (await this.#get(`query?${new URLSearchParams({ query: expression }).toString()}`)) as {
      readonly resultType: string;
      readonly result: readonly { readonly metric: Sample['metric']; readonly value: readonly [number, string] }[];
    };
    if (data.resultType !== 'vector') throw new Error(`${expression} gives a ${data.resultType}, not a vector.`);
    return data.result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
  }

  async rules(): Promise<RuleState[]> {
    const data = (await this.#get('rules')) as { readonly groups: readonly { readonly rules: readonly RuleState[] }[] };
    return data.groups.flatMap(({ rules }) => rules);
  }

  /** Why scrapes failed that failed the last time. */
  async scrapeErrors(): Promise<string[]> {
    const data = (await this.#get('targets?state=active')) as {
      readonly activeTargets: readonly { readonly scrapeUrl: string; readonly lastError: string }[];
    };
    return data.activeTargets
      .filter(({ lastError }) => lastError !== '')
      .map(({ scrapeUrl, lastError }) => `${scrapeUrl}: ${lastError}`);
  }

  async close(): Promise<void> {
    await this.#process.close();
    rmSync(this.#folder, { recursive: true });
  }

  async #get(path: string): Promise<unknown> {
    const response = await fetch(`http://${this.#address}/api/v1/${path}`);
    const answer = (await response.json()) as { readonly status: string; readonly error?: string; data?: unknown };
    if (answer.status !== 'success') throw new Error(`Prometheus refuses ${decodeURIComponent(path)}: ${answer.error}`);
    return answer.data;
  }
}
