import { expect, test } from '@jest/globals';
import { schemaOf, type Definition, type Schema } from '../api/admission/definition.ts';
import { MODEL_FUNCTION_DEFINITION } from '../api/generated/model-function-definition.ts';
import { MODEL_REVISION_DEFINITION } from '../api/generated/model-revision-definition.ts';
import { MOST_INSTANCES } from './runtime-environment.ts';

test.each<[string, Definition, string]>([
  ['a function', MODEL_FUNCTION_DEFINITION, 'spec.runtime.instances'],
  ['a revision', MODEL_REVISION_DEFINITION, 'spec.template.runtime.instances'],
  ['a resolved revision', MODEL_REVISION_DEFINITION, 'spec.resolved.runtime.instances'],
])('a runtime takes as many instances as %s may ask for', (_of, definition, path) => {
  const field = path
    .split('.')
    .reduce<Schema | undefined>((schema, name) => schema?.properties?.[name], schemaOf(definition));
  expect(field?.maximum).toBe(MOST_INSTANCES);
});
