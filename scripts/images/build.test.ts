import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { RUNTIME_ALLOCATOR, RUNTIME_NODE_FLAGS } from '../../common/wire/runtime-environment.ts';

const SCRIPT = join(import.meta.dirname, 'build.sh');

/** The only folder on the script's path. */
let programs: string;

beforeEach(() => {
  programs = mkdtempSync(join(tmpdir(), 'pilotlight-images-'));
  symlinkSync(process.execPath, join(programs, 'node'));
  const dirname = execFileSync('/bin/sh', ['-c', 'command -v dirname'], { encoding: 'utf8' }).trim();
  symlinkSync(dirname, join(programs, 'dirname'));
});

afterEach(() => {
  rmSync(programs, { recursive: true, force: true });
});

/** A program that says what it was called with. `info` is how docker is asked whether its daemon is there. */
function install(name: string, infoStatus = 0): void {
  const script = `#!/bin/sh\n[ "$1" = info ] && exit ${infoStatus}\necho "${name} $*"\n`;
  writeFileSync(join(programs, name), script, { mode: 0o755 });
}

function build(...images: string[]): {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
} {
  const env = { PATH: programs, REGISTRY: 'registry.test', TAG: 'v1' };
  return spawnSync('/bin/sh', [SCRIPT, ...images], { env, encoding: 'utf8' });
}

test('docker builds each image from its own Dockerfile and target', () => {
  install('docker');
  install('buildah');
  const { status, stdout } = build('operator', 'runtime', 'cuda');
  expect(status).toBe(0);
  expect(stdout.split('\n').filter((line) => line.startsWith('docker'))).toEqual([
    expect.stringMatching(
      /^docker build --build-arg .* --file operator\/Dockerfile --tag registry\.test\/pilotlight-operator:v1 \.$/,
    ),
    expect.stringMatching(
      /^docker build --target cpu .* --file runtime\/Dockerfile --tag registry\.test\/pilotlight-runtime:v1 \.$/,
    ),
    expect.stringMatching(
      /^docker build --target cuda .* --file runtime\/Dockerfile --tag registry\.test\/pilotlight-runtime:v1-cuda \.$/,
    ),
  ]);
  expect(stdout).not.toContain('buildah');
});

test('buildah builds where docker has no daemon', () => {
  install('docker', 1);
  install('buildah');
  expect(build('operator').stdout).toMatch(/^buildah build .* --tag registry\.test\/pilotlight-operator:v1 \.$/m);
});

test('says what to install where neither is there', () => {
  expect(build('operator')).toMatchObject({ status: 2, stderr: expect.stringContaining('install buildah') });
});

test('names the images there are', () => {
  install('docker');
  expect(build('gateway')).toMatchObject({ status: 2, stderr: expect.stringContaining('operator, runtime and cuda') });
});

describe("the runtime's image, as those who start a runtime without it,", () => {
  const dockerfile = readFileSync(join(import.meta.dirname, '..', '..', 'runtime', 'Dockerfile'), 'utf8');

  test('sets the allocator', () => {
    const set = [...dockerfile.matchAll(/\b(MALLOC_\w+)=(\d+)/g)].map(([, name, value]) => [name, value]);
    expect(set).toEqual(Object.entries(RUNTIME_ALLOCATOR));
  });

  test("sets Node's flags", () => {
    const [, entrypoint = ''] = /^ENTRYPOINT (.*)$/m.exec(dockerfile) ?? [];
    const flags = (JSON.parse(entrypoint) as string[]).filter((argument) => argument.startsWith('-'));
    expect(flags).toEqual(RUNTIME_NODE_FLAGS);
  });
});
