/** Bundles the programs into dist/, so that a process starts without resolving hundreds of modules, and makes the npm package of the client. */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { build, type BuildOptions } from 'esbuild';
import { buildPackage } from './build-package.ts';
import { nodeBuiltins } from './node-builtins.ts';

const OUT = 'dist';
const PROGRAMS = {
  pilotlight: 'cli/main.ts',
  operator: 'operator/main.ts',
  gateway: 'gateway/main.ts',
  runtime: 'runtime/main.ts',
  'runtime-serve': 'runtime/serve.ts',
  'runtime-worker': 'runtime/model/worker.ts',
  'runtime-codec': 'runtime/codec/codec-worker.ts',
};

const common: BuildOptions = {
  outdir: OUT,
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  sourcemap: 'linked',
  // Native: its .node file is found relative to the package.
  external: ['onnxruntime-node'],
  // CommonJS dependencies inside an ESM bundle still call require() for Node's own modules.
  banner: {
    js: "import { createRequire as createBundleRequire } from 'node:module'; const require = createBundleRequire(import.meta.url);",
  },
  plugins: [nodeBuiltins],
  logLevel: 'warning',
  metafile: true,
};

// A file for each, also with what it imports late, which runs late all the same: split into chunks, a runtime opened 28 files before it was ready, and
// took 16 ms of CPU more. Programs that share code repeat it.
const results = await Promise.all(present(PROGRAMS).map((program) => build({ ...common, entryPoints: [program] })));
buildPackage();
removeAllBut(results.flatMap(({ metafile }) => Object.keys(metafile?.outputs ?? {})));

function present(programs: Readonly<Record<string, string>>): { in: string; out: string }[] {
  return Object.entries(programs)
    .filter(([, file]) => existsSync(file))
    .map(([out, file]) => ({ in: file, out }));
}

/** Files of earlier builds, whose names carry a hash. */
function removeAllBut(outputs: readonly string[]): void {
  const made = new Set(outputs.map((output) => basename(output)));
  for (const { name } of readdirSync(OUT, { withFileTypes: true }).filter((entry) => entry.isFile())) {
    if (!made.has(name)) rmSync(join(OUT, name));
  }
}
