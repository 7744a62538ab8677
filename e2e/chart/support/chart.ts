/** Renders charts/pilotlight with the `helm` of $PATH. Helm's own words are the error of what it refuses. */
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { dump, loadAll } from 'js-yaml';

export const CHART = join(import.meta.dirname, '../../../charts/pilotlight');
export const NAMESPACE = 'pilotlight-system';

/** Values of every kind of installation, by name: each must give a chart that lints, and that a cluster takes. */
export const VARIANTS = readdirSync(join(CHART, 'ci')).map((file) => file.replace('-values.yaml', ''));

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
}

/** Values as an object, or the name of a variant. */
export type Values = string | Readonly<Record<string, unknown>>;

export function render(values: Values = {}, namespace = NAMESPACE): Manifest[] {
  const text = helm(['template', 'pilotlight', CHART, '--namespace', namespace, '--values', ...source(values)], values);
  return (loadAll(text) as (Manifest | null)[]).filter((manifest) => manifest !== null);
}

export function lint(values: Values): string {
  return helm(['lint', '--strict', CHART, '--values', ...source(values)], values);
}

function source(values: Values): string[] {
  return [typeof values === 'string' ? join(CHART, `ci/${values}-values.yaml`) : '-'];
}

function helm(args: readonly string[], values: Values): string {
  return execFileSync('helm', args, {
    encoding: 'utf8',
    input: typeof values === 'string' ? '' : dump(values),
    stdio: ['pipe', 'pipe', 'pipe'],
    maxBuffer: 64 * 1024 * 1024,
  });
}
