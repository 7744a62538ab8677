import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { MODEL_FUNCTION_CASES, type AdmissionCase } from '../../common/api/admission/model-function.cases.ts';
import { API_VERSION } from '../../common/api/names.ts';
import { formatFinding, validateManifests } from '../../cli/validate/validate-manifests.ts';
import { kubectl, KubectlError } from './support/kubectl.ts';
import { modelFunction } from './support/manifests.ts';
import { startSuite, type Suite } from './support/suite.ts';

jest.setTimeout(60_000);

let suite: Suite;
beforeAll(async () => {
  suite = await startSuite('validation');
});
afterAll(() => suite.close());

/** What a person sees who applies the manifest; it is not stored. */
async function apply(manifest: string): Promise<string> {
  try {
    return await kubectl(['apply', '-n', suite.namespace, '--dry-run=server', '-f', '-'], { input: manifest });
  } catch (error) {
    if (error instanceof KubectlError) return error.stderr;
    throw error;
  }
}

/** `spec.timeoutSeconds: Invalid value: 0: …`, sorted. */
function complaintsOf(printed: string): string[] {
  return printed
    .replace(/^The ModelFunction ".*" is invalid: /, '')
    .split('\n')
    .map((line) => line.replace(/^\* /, ''))
    .filter((line) => line !== '' && !line.includes('some validation rules were not checked'))
    .sort();
}

function manifestOf({ name, spec }: AdmissionCase): string {
  return JSON.stringify({ apiVersion: API_VERSION, kind: 'ModelFunction', metadata: { name }, spec });
}

const TAKEN = MODEL_FUNCTION_CASES.filter(({ causes }) => causes.length === 0);
const REFUSED = MODEL_FUNCTION_CASES.filter(({ causes }) => causes.length > 0);

test.each(TAKEN)('$title: is taken', async (each) => {
  const manifest = manifestOf(each);
  expect(await apply(manifest)).toBe(`modelfunction.pilotlight.dev/${each.name} created (server dry run)\n`);
  expect(validateManifests([{ path: 'function.yaml', text: manifest }])).toEqual([]);
});

test.each(REFUSED)('$title: is refused, in the words of "pilotlight validate"', async (each) => {
  const manifest = manifestOf(each);
  const complaints = complaintsOf(await apply(manifest));
  expect(complaints).toEqual(expect.arrayContaining(each.causes.map(({ field, message }) => `${field}: ${message}`)));
  const findings = validateManifests([{ path: 'function.yaml', text: manifest }]);
  expect(findings.map(({ field, message }) => `${field}: ${message}`).sort()).toEqual(complaints);
});

test.each([
  {
    mistake: 'a misspelt field',
    manifest:
      'apiVersion: pilotlight.dev/v1alpha1\nkind: ModelFunction\nmetadata: {name: digits}\nspec: {model: {ur: "file:/a"}}\n',
    printed: /unknown field "spec\.model\.ur"/,
    validated: 'function.yaml:4: spec.model.ur: unknown field',
  },
  {
    mistake: 'a field at the wrong depth',
    manifest:
      'apiVersion: pilotlight.dev/v1alpha1\nkind: ModelFunction\nmetadata: {name: digits}\nspec:\n  model: {uri: "file:/a"}\n  maxReplicas: 2\n',
    printed: /unknown field "spec\.maxReplicas"/,
    validated: 'function.yaml:6: spec.maxReplicas: unknown field',
  },
  {
    mistake: 'a misspelt kind',
    manifest:
      'apiVersion: pilotlight.dev/v1alpha1\nkind: ModelFuncton\nmetadata: {name: digits}\nspec: {model: {uri: "file:/a"}}\n',
    printed: /no matches for kind "ModelFuncton" in version "pilotlight\.dev\/v1alpha1"/,
    validated: 'function.yaml:2: kind: ',
  },
])('$mistake is refused, and "pilotlight validate" names its line', async ({ manifest, printed, validated }) => {
  expect(await apply(manifest)).toMatch(printed);
  const findings = validateManifests([{ path: 'function.yaml', text: manifest }]).map(formatFinding);
  expect(findings).toContainEqual(expect.stringContaining(validated));
});

test('a revision cannot be changed, only deleted', async () => {
  await suite.apply(modelFunction('digits'));
  await suite.untilFunction('digits', 'has a revision', ({ status }) => status?.latestCreatedRevision !== undefined);
  const patch = JSON.stringify({ spec: { template: { model: { uri: 'file:/other' } } } });
  await expect(suite.kubectl('patch', 'modelrevision', 'digits-00001', '--type=merge', '-p', patch)).rejects.toThrow(
    /is invalid: spec.*: Invalid value/,
  );
});
