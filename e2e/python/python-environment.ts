/**
 * Python programs that this project is held against come from PyPI, pinned with all that they need, into environments of their own under
 * node_modules/.cache. Where one cannot be had, the reason is given instead, so that whoever asks goes on without it and says so.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
/** Also for programs that Python's packages bring. */
export const PYTHON_CACHE = join(import.meta.dirname, '..', '..', 'node_modules', '.cache', 'python');
const INSTALL_MILLISECONDS = 240_000;

export type PythonEnvironment = { readonly directory: string; readonly python: string } | { readonly missing: string };

/** Makes the environment unless it is there. `requirements` is the path of a file that names every package with its version. */
export async function pythonEnvironment(requirements: string): Promise<PythonEnvironment> {
  const digest = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 12);
  const directory = join(PYTHON_CACHE, `${basename(requirements, '.txt')}-${digest}`);
  const environment = { directory, python: join(directory, 'bin', 'python') };
  const complete = join(directory, 'complete');
  if (existsSync(complete)) return environment;
  process.stderr.write(`Installing ${basename(requirements)} (once) ...\n`);
  rmSync(directory, { recursive: true, force: true });
  try {
    await run('python3', ['-m', 'venv', directory]);
    const flags = ['--quiet', '--disable-pip-version-check', '--no-deps', '--no-compile', '--only-binary=:all:'];
    const command = ['-m', 'pip', 'install', ...flags, '--requirement', requirements];
    await run(environment.python, command, { timeout: INSTALL_MILLISECONDS });
    writeFileSync(complete, '');
    return environment;
  } catch (error) {
    return { missing: `${basename(requirements)} cannot be installed: ${reason(error)}` };
  }
}

function reason(error: unknown): string {
  const { stderr = '', message = String(error) } = error as { readonly stderr?: string; readonly message?: string };
  const lines = stderr.split('\n').filter((line) => /error/i.test(line));
  return lines[0]?.trim() ?? message.split('\n')[0] ?? message;
}
