/**
 * The npm package as a user has it: packed, unpacked into a project of its own, compiled with strict settings by both kinds of module resolution, and
 * run. It needs dist/, which `make test` builds.
 */
import { execFile, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { codeBlocks, readPage } from '../docs/markdown.ts';

const ROOT = join(import.meta.dirname, '..');
const TSC = join(ROOT, 'node_modules', '.bin', 'tsc');
const OLDER_TSC = join(ROOT, 'node_modules', '.bin', 'tsc6');
/** The machine's own may be older than the project's: the client supports Node 20. */
const NODES = [process.execPath, '/usr/bin/node', '/usr/local/bin/node'].filter((path) => existsSync(path));

const RESOLUTIONS: Record<string, object> = {
  NodeNext: { module: 'nodenext', moduleResolution: 'nodenext' },
  bundler: { module: 'esnext', moduleResolution: 'bundler' },
};
/** Nothing of Node; `skipLibCheck` is off, so that the package's own declarations are checked too. */
const STRICT = {
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  verbatimModuleSyntax: true,
  skipLibCheck: false,
  target: 'es2022',
  types: [],
  noEmit: true,
};

let project: string;
beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), 'pilotlight-package-'));
  const packed = join(ROOT, 'dist', 'package');
  execFileSync('npm', ['pack', packed, '--pack-destination', project, '--ignore-scripts', '--silent']);
  const [tarball = ''] = readdirSync(project);
  const home = join(project, 'node_modules', 'pilotlight');
  mkdirSync(home, { recursive: true });
  // What npm does with a package that has no dependency, without its registry.
  execFileSync('tar', ['-xzf', join(project, tarball), '-C', home, '--strip-components=1']);
  writeFileSync(join(project, 'package.json'), '{"type":"module"}');
});
afterAll(() => rmSync(project, { recursive: true, force: true }));

const CONSUMER = `
import { InferenceClient, InferenceError, fromFloat16, texts, type InputTensor, type OutputTensor } from 'pilotlight/client';

interface Mixed {
  inputs: { x: { datatype: 'FP32'; shape: [number, 64] }; half: { datatype: 'FP16' }; on: { datatype: 'BOOL' } };
  outputs: { label: { datatype: 'INT64'; shape: [number] }; name: { datatype: 'BYTES' }; p: { datatype: 'FP16' } };
}
const model = new InferenceClient('http://a.b').model<Mixed>('m');
export async function call(x: Float32Array): Promise<bigint | undefined> {
  const inputs = {
    x: { shape: [1, 64], data: x },
    half: { datatype: 'FP16', shape: [1], data: Uint16Array.of(1) },
    on: { shape: [1], data: [true] },
  } as const;
  const all = await model.infer(inputs, { signal: AbortSignal.timeout(1_000) });
  const names: string[] = texts(all.outputs.name);
  const numbers: Float32Array<ArrayBuffer> = fromFloat16(all.outputs.p.data);
  const rows: number = all.outputs.label.shape[0];
  const { outputs } = await model.infer(inputs, { outputs: ['label'] });
  // @ts-expect-error not asked for
  outputs.p;
  // @ts-expect-error an unknown output
  await model.infer(inputs, { outputs: ['labels'] });
  // @ts-expect-error an input is missing
  await model.infer({ x: inputs.x });
  // @ts-expect-error a wrong name
  await model.infer({ ...inputs, y: inputs.x, x: undefined });
  // @ts-expect-error a wrong array
  await model.infer({ ...inputs, x: { shape: [1, 64], data: new Float64Array(64) } });
  // @ts-expect-error a wrong dimension
  await model.infer({ ...inputs, x: { shape: [1, 63], data: x } });
  // @ts-expect-error a wrong rank
  await model.infer({ ...inputs, x: { shape: [64], data: x } });
  // @ts-expect-error bits could be UINT16
  await model.infer({ ...inputs, half: { shape: [1], data: Uint16Array.of(1) } });
  return outputs.label.data[rows + names.length + numbers.length];
}
// @ts-expect-error numbers without a type
export const plain: InputTensor = { shape: [1], data: [1] };
export const text: InputTensor = { shape: [2], data: ['a', 'b'] };
export function largest(output: OutputTensor | undefined): number {
  if (output?.datatype !== 'FP32') throw new InferenceError('No.', { code: 'invalid-answer' });
  return Math.max(...output.data);
}
`;

/** What the compiler has to say of the programs. */
function compile(compiler: string, resolution: object, programs: readonly string[]): string {
  const files = programs.map((text, index) => {
    writeFileSync(join(project, `program-${index}.ts`), text);
    return `program-${index}.ts`;
  });
  const compilerOptions = { ...STRICT, ...resolution, lib: ['es2024', 'dom'] };
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
  try {
    return execFileSync(compiler, ['--project', project], { encoding: 'utf8' });
  } catch (error) {
    return (error as { readonly stdout: string }).stdout;
  }
}

test.each(Object.entries(RESOLUTIONS))(
  'its types hold a program of strict settings with %s',
  (_name, resolution) => {
    expect(compile(TSC, resolution, [CONSUMER])).toBe('');
  },
  30_000,
);

test('an older compiler reads them too', () => {
  expect(compile(OLDER_TSC, RESOLUTIONS['bundler'] ?? {}, [CONSUMER])).toBe('');
}, 30_000);

describe('the how-to', () => {
  const programs = codeBlocks(readPage('how-to/call-from-typescript.md'))
    .filter(({ language }) => language === 'ts')
    .map(({ text }) => text);

  test('has programs that compile', () => {
    expect(compile(TSC, RESOLUTIONS['NodeNext'] ?? {}, programs)).toBe('');
  }, 30_000);

  test('has programs that do what it says', async () => {
    const outputs = [
      { name: 'label', datatype: 'INT64', shape: [2], data: [3, 4] },
      { name: 'answer', datatype: 'BYTES', shape: [1], data: ['sunny'] },
    ];
    const server = createServer(({ url }, response) => {
      // The one program that fails on purpose has its own limit of retries.
      if (url?.startsWith('/busy') === true) response.writeHead(429).end('{"error":"Full.","code":"queue-full"}');
      else response.setHeader('pilotlight-cold-start', '398').end(JSON.stringify({ model_name: 'm', outputs }));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const own = typeof address === 'object' && address !== null ? `http://127.0.0.1:${address.port}` : '';
    const printed: string[] = [];
    for (const program of programs) {
      const isBusy = program.includes('maxRetries');
      const text = program
        .replaceAll(/http:\/\/(?:127\.0\.0\.1:8080|digits\.default|triton:8000)/g, isBusy ? `${own}/busy` : own)
        .replace('maxRetries: 5', 'maxRetries: 0');
      writeFileSync(join(project, 'run.ts'), text);
      const { stdout } = await promisify(execFile)(process.execPath, ['run.ts'], { cwd: project });
      printed.push(stdout);
    }
    server.closeAllConnections();
    server.close();
    expect(printed).toEqual([
      'label INT64 [ 2 ]\nanswer BYTES [ 1 ]\nIt was at zero, and answered after 398 ms.\n',
      '2\n',
      "[ 'sunny' ]\n",
      'Error: The user left.\n',
      '429 queue-full Full. true\n',
    ]);
  }, 30_000);
});

test.each(NODES)('%s runs it', (node) => {
  const program = "import('pilotlight/client').then((all) => console.log(Object.keys(all).sort().join()))";
  const names = execFileSync(node, ['--eval', program], { cwd: project, encoding: 'utf8' });
  expect(names.trim()).toBe('InferenceClient,InferenceError,fromFloat16,texts,toFloat16');
});

test('it has no dependency, nothing of Node, and not a file too many', () => {
  const home = join(project, 'node_modules', 'pilotlight');
  const files = readdirSync(home, { recursive: true, encoding: 'utf8' });
  expect(JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'))).not.toHaveProperty('dependencies');
  expect(files.filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))).toEqual([]);
  expect(files.filter((file) => file.includes('test'))).toEqual([]);
  for (const file of files.filter((name) => name.endsWith('.js'))) {
    expect(readFileSync(join(home, file), 'utf8')).not.toMatch(
      /^(?:import|export) .*from '(?!\.)|\bBuffer\b|\bprocess\./m,
    );
  }
});
