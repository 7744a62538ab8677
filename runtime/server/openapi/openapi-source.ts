/** The OpenAPI document, made when it is first asked for and kept: the model does not change while the process lives. */
import type { Model } from '../../inference.ts';
import type { Schema } from './tensor-schema.ts';

/** One promise for all who ask at once; a failure is not kept. */
export function openApiSource(name: string, version: string): (model: Model) => Promise<Schema> {
  let made: Promise<Schema> | undefined;
  return (model) => {
    made ??= import('./make-openapi.ts')
      .then(({ makeOpenApi }) => makeOpenApi(name, version, model))
      .catch((error: unknown) => {
        made = undefined;
        throw error;
      });
    return made;
  };
}
