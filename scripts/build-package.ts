/**
 * Makes dist/package, the npm package `pilotlight`: the client alone, without a dependency. The programs run from images and from a clone, and
 * would bring ONNX Runtime's 280 MB to everybody who only calls it.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const OUT = join('dist', 'package');
const ENTRY = './client/index';

export function buildPackage(): void {
  rmSync(OUT, { recursive: true, force: true });
  mkdirSync(OUT, { recursive: true });
  execFileSync(join('node_modules', '.bin', 'tsc'), ['--project', 'client', '--outDir', OUT], { stdio: 'inherit' });
  // tsc writes .js into programs, and leaves .ts in declarations, where compilers before 5.7 do not follow it.
  for (const file of globSync(`${OUT}/**/*.d.ts`)) {
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll(/(from '\.[^']+)\.ts'/g, "$1.js'"));
  }
  const { name, version, description, license } = JSON.parse(readFileSync('package.json', 'utf8')) as Record<
    string,
    string
  >;
  const manifest = {
    name,
    version,
    description: `${description ?? ''}: the client`,
    license,
    type: 'module',
    sideEffects: false,
    engines: { node: '>=20' },
    exports: { './client': { types: `${ENTRY}.d.ts`, default: `${ENTRY}.js` }, './package.json': './package.json' },
  };
  writeFileSync(join(OUT, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  copyFileSync('LICENSE', join(OUT, 'LICENSE'));
  copyFileSync(join('client', 'README.md'), join(OUT, 'README.md'));
}
