/**
 * Fetches models from servers that others wrote: an S3-compatible one (moto, which checks signatures and policies) and one of Google Cloud Storage's API
 * (gcp-storage-emulator), both from PyPI, and Python's own HTTP server, which knows no ranges. One that cannot be had is said to be missing; with
 * REQUIRE=all that is a failure.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { systemClock } from '../../common/platform/clock.ts';
import { openModel } from '../../runtime/delivery/open-model.ts';
import { pythonEnvironment } from '../python/python-environment.ts';

const run = promisify(execFile);
const MODEL = join(import.meta.dirname, '..', '..', 'examples', 'digits', 'model.onnx');
const SHA256 = createHash('sha256').update(readFileSync(MODEL)).digest('hex');
const LARGE = createHash('sha256')
  .update(Buffer.alloc(256 * 4096 * 40, Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))))
  .digest('hex');
const READY_MILLISECONDS = 30_000;

const directory = mkdtempSync(join(tmpdir(), 'delivery-'));
const servers: ChildProcess[] = [];
let failures = 0;
let opened = 0;

try {
  const environment = await pythonEnvironment(join(import.meta.dirname, 'requirements-storage.txt'));
  if ('missing' in environment) {
    console.log(`missing  ${environment.missing}`);
    if (process.env['REQUIRE'] === 'all') failures += 1;
  } else {
    await s3(environment.python);
    await gs(environment.python);
    await http(environment.python);
  }
} finally {
  await Promise.all(servers.map(end));
  rmSync(directory, { recursive: true });
}
console.log(failures === 0 ? 'No server failed.' : `${failures} failed.`);
process.exitCode = failures === 0 ? 0 : 1;

async function s3(python: string): Promise<void> {
  // Before this many requests it lets everybody do everything: those that fill it.
  const { environment, keys } = await startS3(python, { INITIAL_NO_AUTH_ACTION_COUNT: '13' });
  const reader = { ...environment, AWS_ACCESS_KEY_ID: keys.id, AWS_SECRET_ACCESS_KEY: keys.secret };
  await check('s3: one object', 's3://models/a%20b/%C3%BC%2B%26.onnx', reader, SHA256);
  await check('s3: Triton’s layout', 's3://models/digits', reader, SHA256);
  await check('s3: 40 MiB in parts', 's3://models/large.onnx', reader, LARGE);
  await check('s3: nothing there', 's3://models/none.onnx', reader, /ModelNotFound/);
  await check('s3: no such bucket', 's3://none/none.onnx', reader, /NoSuchBucket/);
  const wrong = { ...reader, AWS_SECRET_ACCESS_KEY: 'wrong' };
  await check('s3: a wrong secret', 's3://models/large.onnx', wrong, /403 SignatureDoesNotMatch/);
  // One that checks nothing, for with checks it takes no request for a role that is unsigned, as those by web identity are.
  const open = await startS3(python, {});
  await check('s3: unsigned', 's3://models/public.onnx', open.environment, SHA256);
  await check('s3: unsigned, but not public', 's3://models/large.onnx', open.environment, /answered 403/);
  const token = join(directory, 'web-identity');
  writeFileSync(token, 'a.b.c');
  const identity = {
    ...open.environment,
    AWS_ROLE_ARN: open.keys.role,
    AWS_WEB_IDENTITY_TOKEN_FILE: token,
    AWS_ENDPOINT_URL_STS: open.environment.AWS_ENDPOINT_URL,
  };
  await check('s3: by web identity', 's3://models/digits/2/model.onnx', identity, SHA256);
}

async function startS3(
  python: string,
  variables: Record<string, string>,
): Promise<{
  environment: { AWS_ENDPOINT_URL: string; AWS_REGION: string; AWS_SHARED_CREDENTIALS_FILE: string };
  keys: { id: string; secret: string; role: string };
}> {
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  await start(python, ['-m', 'moto.server', '-p', String(port)], `${endpoint}/moto-api/`, variables);
  const { stdout } = await run(python, [join(import.meta.dirname, 'prepare_s3.py'), endpoint, MODEL]);
  return {
    environment: { AWS_ENDPOINT_URL: endpoint, AWS_REGION: 'eu-west-1', AWS_SHARED_CREDENTIALS_FILE: emptyFile() },
    keys: JSON.parse(stdout) as { id: string; secret: string; role: string },
  };
}

async function gs(python: string): Promise<void> {
  const port = await freePort();
  const host = `http://127.0.0.1:${port}`;
  await start(
    python,
    [
      '-m',
      'gcp_storage_emulator',
      'start',
      '--host=127.0.0.1',
      `--port=${port}`,
      '--in-memory',
      '--default-bucket=models',
    ],
    `${host}/storage/v1/b/models`,
  );
  for (const [name, body] of [
    ['digits/1/model.onnx', 'old'],
    ['digits/2/model.onnx', readFileSync(MODEL)],
    ['a b/ü+.onnx', readFileSync(MODEL)],
  ] as const) {
    const address = `${host}/upload/storage/v1/b/models/o?uploadType=media&name=${encodeURIComponent(name)}`;
    const { ok, status } = await fetch(address, { method: 'POST', body });
    if (!ok) throw new Error(`The emulator answered ${status} to an upload`);
  }
  const environment = { STORAGE_EMULATOR_HOST: host };
  await check('gs: one object', 'gs://models/a%20b/%C3%BC%2B.onnx', environment, SHA256);
  await check('gs: Triton’s layout', 'gs://models/digits/', environment, SHA256);
  await check('gs: nothing there', 'gs://models/none.onnx', environment, /ModelNotFound/);
}

async function http(python: string): Promise<void> {
  const port = await freePort();
  const folder = join(directory, 'www');
  mkdirSync(folder);
  copyFileSync(MODEL, join(folder, 'model.onnx'));
  await run('tar', ['-czf', join(folder, 'model.tar.gz'), '-C', folder, 'model.onnx']);
  const base = `http://127.0.0.1:${port}`;
  await start(python, ['-m', 'http.server', '--bind', '127.0.0.1', '--directory', folder, String(port)], base);
  await check('http: without ranges', `${base}/model.onnx`, {}, SHA256);
  const archive = createHash('sha256')
    .update(readFileSync(join(folder, 'model.tar.gz')))
    .digest('hex');
  await check('http: an archive', `${base}/model.tar.gz`, {}, archive);
  await check('http: nothing there', `${base}/none.onnx`, {}, /ModelNotFound/);
}

async function check(
  name: string,
  uri: string,
  environment: Record<string, string>,
  expected: string | RegExp,
): Promise<void> {
  opened += 1;
  const options = {
    directory: join(directory, `cache-${opened}`),
    clock: systemClock,
    signal: new AbortController().signal,
    environment,
  };
  let outcome: string;
  try {
    mkdirSync(options.directory);
    outcome = (await (await openModel({ uri }, options)).digest).sha256;
  } catch (error) {
    const { reason = '', message } = error as Error & { readonly reason?: string };
    outcome = `${reason}: ${message}`;
  }
  const isRight = typeof expected === 'string' ? outcome === expected : expected.test(outcome);
  if (!isRight) failures += 1;
  console.log(isRight ? `passed   ${name}` : `FAILED   ${name}: ${outcome}`);
}

async function start(
  python: string,
  args: readonly string[],
  url: string,
  environment: Record<string, string> = {},
): Promise<void> {
  const child = spawn(python, args, { env: { ...process.env, ...environment }, stdio: 'ignore' });
  servers.push(child);
  const end = performance.now() + READY_MILLISECONDS;
  for (;;) {
    try {
      await fetch(url);
      return;
    } catch {
      if (performance.now() > end || child.exitCode !== null)
        throw new Error(`${args.slice(0, 3).join(' ')} did not start`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

function emptyFile(): string {
  const path = join(directory, 'credentials');
  writeFileSync(path, '');
  return path;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
