/**
 * Makes the TypeScript types from crds/*.yaml. `--check` writes nothing and fails with the name of each file that would change.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateTypes } from './generate/types.ts';

const ROOT = join(import.meta.dirname, '..');

const TYPES = [
  { crd: 'crds/pilotlight.dev_modelfunctions.yaml', output: 'common/api/generated/model-function.ts' },
  { crd: 'crds/pilotlight.dev_modelrevisions.yaml', output: 'common/api/generated/model-revision.ts' },
];

const check = process.argv.includes('--check');
const drifted: string[] = [];
for (const { crd, output } of TYPES) {
  const wanted = await generateTypes(readFileSync(join(ROOT, crd), 'utf8'), crd);
  const path = join(ROOT, output);
  if (existsSync(path) && readFileSync(path, 'utf8') === wanted) continue;
  drifted.push(output);
  if (!check) writeFileSync(path, wanted);
}
for (const file of drifted) process.stdout.write(check ? `${file} is out of date; run make generate\n` : `${file}\n`);
if (check && drifted.length > 0) process.exitCode = 1;
