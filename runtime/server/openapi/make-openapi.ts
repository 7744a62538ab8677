/** All that `/openapi.json` needs, in one module that is imported when somebody first asks: a start has no time for it. */
import type { Model } from '../../inference.ts';
import { findExampleInputs } from './example-inputs.ts';
import { openApiDocument } from './openapi-document.ts';
import type { Schema } from './tensor-schema.ts';

/** The document. The model is run once or a few times, for the example. */
export async function makeOpenApi(name: string, version: string, model: Model): Promise<Schema> {
  const example = await findExampleInputs(model);
  return openApiDocument({ name, version, model: model.facts, example });
}
