/**
 * Makes TypeScript from crds/*.yaml: the types, and each definition as a module, so that programs need no file of the repository.
 * `--check` writes nothing and fails with the name of each file that would change.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';
import type { Definition } from '../common/api/admission/definition.ts';
import { generateDefinitionModule } from './generate/definition-module.ts';
import { generateTypes } from './generate/types.ts';

const ROOT = join(import.meta.dirname, '..');

const CRDS = [
  { crd: 'crds/pilotlight.dev_modelfunctions.yaml', module: 'model-function' },
  { crd: 'crds/pilotlight.dev_modelrevisions.yaml', module: 'model-revision' },
];

const check = process.argv.includes('--check');
const drifted: string[] = [];
for (const { crd, module } of CRDS) {
  const definition = load(readFileSync(join(ROOT, crd), 'utf8')) as Definition;
  const notice = `// Generated from ${crd} by scripts/generate.ts; change that file and run make generate.\n\n`;
  write(`common/api/generated/${module}.ts`, notice + (await generateTypes(definition)));
  write(`common/api/generated/${module}-definition.ts`, notice + (await generateDefinitionModule(definition)));
}
if (check && drifted.length > 0) process.exitCode = 1;

function write(file: string, content: string): void {
  const path = join(ROOT, file);
  if (existsSync(path) && readFileSync(path, 'utf8') === content) return;
  drifted.push(file);
  if (!check) writeFileSync(path, content);
  process.stdout.write(check ? `${file} is out of date; run make generate\n` : `${file}\n`);
}
