/** Runs the `helm` of $PATH on the release under test, with the chart of this repository. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SYSTEM_NAMESPACE } from './installation.ts';

export const RELEASE = 'pilotlight';
export const CHART = join(import.meta.dirname, '..', '..', '..', 'charts', 'pilotlight');

const MINUTES = 4;

/** What it wrote to its standard output. Throws with what it wrote to its standard error. */
export async function helm(...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('helm', [...args, '--namespace', SYSTEM_NAMESPACE], {
    timeout: MINUTES * 60_000,
  });
  return stdout;
}

/** As whoever installed it gave them. */
export async function installedValues(): Promise<object> {
  return (JSON.parse(await helm('get', 'values', RELEASE, '--output', 'json')) ?? {}) as object;
}
