/** What the operations of the document have in common: how they answer, with a result or an error. */
import type { Schema } from './tensor-schema.ts';

export const JSON_TYPE = 'application/json';
export const INTEGER: Schema = { type: 'integer', minimum: 0 };

export interface Operation extends Schema {
  readonly responses: Schema;
}

export function read(operationId: string, tag: string, summary: string, schema: Schema): Operation {
  return {
    operationId,
    tags: [tag],
    summary,
    responses: {
      200: { description: summary, content: { [JSON_TYPE]: { schema } } },
      default: { $ref: '#/components/responses/Error' },
    },
  };
}

export function withNotReady({ responses, ...operation }: Operation): Operation {
  return { ...operation, responses: { ...responses, 503: errorResponse('Not ready', true) } };
}

export function errorResponse(description: string, retryable = false): Schema {
  const retryAfter = { description: 'Seconds; from a gateway.', schema: INTEGER };
  return {
    description,
    ...(retryable && { headers: { 'retry-after': retryAfter } }),
    content: { [JSON_TYPE]: { schema: { $ref: '#/components/schemas/Error' } } },
  };
}
