/** Bundles the programs into dist/: one file each, so that a process starts without resolving hundreds of modules. */
import { existsSync } from 'node:fs';
import { build } from 'esbuild';

const PROGRAMS = {
  pilotlight: 'cli/main.ts',
  operator: 'operator/main.ts',
  gateway: 'gateway/main.ts',
  runtime: 'runtime/main.ts',
  'runtime-worker': 'runtime/model/worker.ts',
};

await build({
  entryPoints: Object.entries(PROGRAMS)
    .filter(([, file]) => existsSync(file))
    .map(([out, file]) => ({ in: file, out })),
  outdir: 'dist',
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
  logLevel: 'warning',
});
