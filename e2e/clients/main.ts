/**
 * Runs other people's clients against `pilotlight serve`, each as it comes from its package, and prints what became of them. One that cannot be had here
 * is said to be missing and fails nothing; with REQUIRE=all it does.
 */
import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Command } from '../local/command.ts';
import { pythonEnvironment, PYTHON_CACHE } from '../python/python-environment.ts';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '..', '..');
const CLIENT_MILLISECONDS = 60_000;
const INSTALL_MILLISECONDS = 120_000;

/** Throws if it fails; gives a few words of what it did, or why it is missing. */
type Client = (environment: Readonly<Record<string, string>>) => Promise<string | { readonly missing: string }>;

const CLIENTS: Readonly<Record<string, Client>> = {
  curl,
  'tritonclient[http] 2.73.0': (environment) => python('requirements-triton.txt', 'test_triton_http.py', environment),
  'tritonclient[grpc] 2.73.0': (environment) => python('requirements-triton.txt', 'test_triton_grpc.py', environment),
  'KServe InferenceRESTClient 0.21.0': (environment) =>
    python('requirements-kserve.txt', 'test_kserve.py', environment),
  'perf_analyzer 2.60.0': perfAnalyzer,
};

const digits = new Command(...serving(join(ROOT, 'examples', 'digits', 'model.onnx'), 'digits'));
const strings = new Command(...serving(join(ROOT, 'runtime', 'model', 'fixtures', 'strings.onnx'), 'strings'));
let failures = 0;
try {
  const environment = {
    DIGITS: await address(digits, /ready at http:\/\/([^/]+)/),
    DIGITS_GRPC: await address(digits, /^gRPC +(\S+)/),
    STRINGS: await address(strings, /ready at http:\/\/([^/]+)/),
    STRINGS_GRPC: await address(strings, /^gRPC +(\S+)/),
  };
  for (const [name, client] of Object.entries(CLIENTS)) {
    const begun = performance.now();
    const outcome = await client(environment).catch((error: unknown) => error);
    const seconds = ((performance.now() - begun) / 1000).toFixed(0);
    if (outcome instanceof Error) {
      failures += 1;
      console.log(`FAILED   ${name} (${seconds} s)\n${output(outcome)}`);
    } else if (typeof outcome === 'string') {
      console.log(`passed   ${name}: ${outcome} (${seconds} s)`);
    } else {
      const { missing } = outcome as { readonly missing: string };
      if (process.env['REQUIRE'] === 'all') failures += 1;
      console.log(`missing  ${name}: ${missing}`);
    }
  }
} finally {
  await Promise.all([digits.terminate(), strings.terminate()]);
}
console.log(failures === 0 ? 'No client failed.' : `${failures} of ${Object.keys(CLIENTS).length} clients failed.`);
process.exitCode = failures === 0 ? 0 : 1;

function serving(model: string, name: string): string[] {
  return ['serve', model, '--name', name, '--port', '0', '--grpc-port', '0', '--metrics-port', '0', '--threads', '1'];
}

async function address(command: Command, pattern: RegExp): Promise<string> {
  const [, found = ''] = await command.line(pattern);
  return found;
}

function output(error: Error): string {
  const { stdout = '', stderr = '' } = error as { readonly stdout?: string; readonly stderr?: string };
  return [error.message, stdout, stderr].filter((text) => text !== '').join('\n');
}

async function curl(environment: Readonly<Record<string, string>>): Promise<string> {
  const { stdout } = await run(join(import.meta.dirname, 'curl.sh'), { env: { ...process.env, ...environment } });
  return `${stdout.split('\n').filter((line) => line.startsWith('ok')).length} requests`;
}

async function python(
  requirements: string,
  script: string,
  environment: Readonly<Record<string, string>>,
): Promise<string | { readonly missing: string }> {
  const installed = await pythonEnvironment(join(import.meta.dirname, requirements));
  if ('missing' in installed) return installed;
  const options = { env: { ...process.env, ...environment }, timeout: CLIENT_MILLISECONDS };
  const { stderr } = await run(installed.python, ['-B', join(import.meta.dirname, script)], options);
  return /^Ran (\d+ tests?)/m.exec(stderr)?.[1] ?? stderr;
}

/** Drives the server for some seconds over both protocols, with statistics of the server in its report. */
async function perfAnalyzer({
  DIGITS = '',
  DIGITS_GRPC = '',
}: Readonly<Record<string, string>>): Promise<string | { readonly missing: string }> {
  const directory = join(PYTHON_CACHE, 'perf-analyzer');
  let command: string[];
  try {
    const options = { timeout: INSTALL_MILLISECONDS };
    const { stdout } = await run(join(import.meta.dirname, 'perf-analyzer.sh'), [directory], options);
    command = stdout.trim().split('\n');
  } catch (error) {
    // What is half there must not look whole the next time.
    rmSync(directory, { recursive: true, force: true });
    return { missing: (error as { readonly stderr?: string }).stderr?.trim().split('\n').at(-1) ?? String(error) };
  }
  const [program = '', ...prefix] = command;
  const rates: string[] = [];
  for (const [protocol, url] of [
    ['http', DIGITS],
    ['grpc', DIGITS_GRPC],
  ] as const) {
    const args = [
      '-m',
      'digits',
      '-b',
      '1',
      '-u',
      url,
      '-i',
      protocol,
      '--concurrency-range',
      '4:4',
      '--shape',
      'pixels:64',
    ];
    const window = [
      '--measurement-mode',
      'time_windows',
      '--measurement-interval',
      '1000',
      '--stability-percentage',
      '60',
    ];
    const { stdout } = await run(program, [...prefix, ...args, ...window], { timeout: CLIENT_MILLISECONDS });
    const rate = /Throughput: ([\d.]+) infer\/sec/.exec(stdout)?.[1];
    const server = /Server:[^]*?Inference count: (\d+)/.exec(stdout)?.[1];
    if (rate === undefined || server === undefined) throw new Error(`perf_analyzer has no figures:\n${stdout}`);
    rates.push(`${protocol} ${Number(rate).toFixed(0)} inferences/s`);
  }
  return rates.join(', ');
}
