/**
 * Makes from crds/*.yaml the TypeScript types, each definition as a module (so that programs need no file of the repository), the reference and the
 * chart's templates; from the chart's values.yaml the descriptions in its schema, and the reference.
 * From monitoring/dashboards/ it makes Grafana's files, and from runtime/grpc/proto/ what gRPC's reflection answers with.
 * `--check` writes nothing and fails with the name of each file that would change.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { format } from 'prettier';
import type { Definition } from '../common/api/admission/definition.ts';
import { CONTROL_PLANE } from '../monitoring/dashboards/control-plane.ts';
import { makeDashboard } from '../monitoring/dashboards/dashboard.ts';
import { FUNCTIONS } from '../monitoring/dashboards/functions.ts';
import { generateChartCrd } from './generate/chart-crd.ts';
import { describedSchema, type ValuesSchema } from './generate/chart-values.ts';
import { generateDefinitionModule } from './generate/definition-module.ts';
import { documentedValues } from './generate/documented-values.ts';
import { generateReference } from './generate/reference.ts';
import { generateProtoFiles } from './generate/proto-files.ts';
import { generateTypes } from './generate/types.ts';
import { generateValuesPage } from './generate/values-page.ts';

const ROOT = join(import.meta.dirname, '..');

const CRDS = [
  { crd: 'crds/pilotlight.dev_modelfunctions.yaml', module: 'model-function', example: 'examples/cluster/digits.yaml' },
  { crd: 'crds/pilotlight.dev_modelrevisions.yaml', module: 'model-revision', example: undefined },
];

const check = process.argv.includes('--check');
const drifted: string[] = [];
for (const { crd, module, example } of CRDS) {
  const text = readFileSync(join(ROOT, crd), 'utf8');
  const definition = load(text) as Definition;
  const notice = `Generated from ${crd} by scripts/generate.ts; change that file and run make generate.`;
  const comment = `// ${notice}\n\n`;
  const manifest = example === undefined ? undefined : readFileSync(join(ROOT, example), 'utf8');
  write(`common/api/generated/${module}.ts`, comment + (await generateTypes(definition)));
  write(`common/api/generated/${module}-definition.ts`, comment + (await generateDefinitionModule(definition)));
  write(`docs/reference/${module}.md`, generateReference(definition, notice, manifest));
  write(`charts/pilotlight/templates/crds/${module}.yaml`, generateChartCrd(text, notice));
}

const VALUES = 'charts/pilotlight/values.yaml';
const SCHEMA = 'charts/pilotlight/values.schema.json';
const text = readFileSync(join(ROOT, VALUES), 'utf8');
const values = documentedValues(text);
const schema = JSON.parse(readFileSync(join(ROOT, SCHEMA), 'utf8')) as ValuesSchema;
const notice = `Generated from ${VALUES} and ${SCHEMA} by scripts/generate.ts; change these and run make generate.`;
write(SCHEMA, await describedSchema(schema, values));
write('docs/reference/helm-values.md', await generateValuesPage(schema, values, load(text), notice));

for (const board of [FUNCTIONS, CONTROL_PLANE]) {
  const json = JSON.stringify(makeDashboard(board));
  write(`charts/pilotlight/dashboards/${board.uid}.json`, await format(json, { parser: 'json', printWidth: 120 }));
}
const PROTOS = 'runtime/grpc/proto';
const protos = readdirSync(join(ROOT, PROTOS)).map(
  (file) => [file, readFileSync(join(ROOT, PROTOS, file), 'utf8')] as const,
);
const protoNotice = `// Generated from ${PROTOS}/ by scripts/generate.ts; change that and run make generate.\n\n`;
write('runtime/grpc/generated/proto-files.ts', await generateProtoFiles(new Map(protos), protoNotice));

if (check && drifted.length > 0) process.exitCode = 1;

function write(file: string, content: string): void {
  const path = join(ROOT, file);
  if (existsSync(path) && readFileSync(path, 'utf8') === content) return;
  drifted.push(file);
  if (!check) writeFileSync(path, content);
  process.stdout.write(check ? `${file} is out of date; run make generate\n` : `${file}\n`);
}
