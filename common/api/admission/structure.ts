/** Checks an object's shape, types and bounds against a schema, in an API server's words. */
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import type { FieldCause } from '../object.ts';
import type { Schema } from './definition.ts';
import { fieldAt, fieldOf } from './field-path.ts';

export interface StructuralCause extends FieldCause {
  /** The object is too far from its schema for rules to be tried on it. */
  readonly blocking: boolean;
}

const DATE_TIME = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;

/** Schemas hold keywords and formats of Kubernetes that JSON Schema does not know, so ajv must not insist on its own. */
const ajv = new Ajv({ allErrors: true, verbose: true, strict: false, logger: false });
ajv.addFormat('int32', true);
ajv.addFormat('int64', true);
ajv.addFormat('date-time', (text) => DATE_TIME.test(text) && !Number.isNaN(Date.parse(text)));
ajv.addKeyword({
  keyword: 'x-kubernetes-int-or-string',
  validate: (wanted: boolean, value: unknown) => !wanted || typeof value === 'string' || Number.isInteger(value),
});

const validators = new WeakMap<Schema, ValidateFunction>();

export function structuralCauses(schema: Schema, object: unknown): StructuralCause[] {
  const validate = validators.get(schema) ?? ajv.compile(schema);
  validators.set(schema, validate);
  return validate(object) ? [] : (validate.errors ?? []).map((error) => toCause(object, error));
}

/** ajv's words for a value that is wrong, in the API server's; its `params` differ by keyword. */
function toCause(object: unknown, error: ErrorObject): StructuralCause {
  const field = fieldAt(object, error.instancePath);
  const params = error.params as Readonly<Record<string, unknown>>;
  const value: unknown = error.data;
  const blocked = (message: string, at = field): StructuralCause => ({ field: at, message, blocking: true });
  const invalid = (wanted: string, shown = JSON.stringify(value)): StructuralCause => ({
    field,
    message: `Invalid value: ${shown}: ${field} in body should ${wanted}`,
    blocking: false,
  });
  const wrongType = (type: string, shown: string): StructuralCause =>
    blocked(`Invalid value: "${shown}": ${field} in body must be of type ${type}: "${shown}"`);
  switch (error.keyword) {
    case 'required':
      return blocked('Required value', fieldOf(field, String(params['missingProperty'])));
    case 'type':
      return wrongType(String(params['type']), typeName(value));
    case 'x-kubernetes-int-or-string':
      return wrongType('integer,string', typeName(value));
    case 'format':
      return wrongType(String(params['format']), String(value));
    case 'enum': {
      const supported = (error.schema as readonly unknown[]).map((item) => JSON.stringify(item)).join(', ');
      return blocked(`Unsupported value: ${JSON.stringify(value)}: supported values: ${supported}`);
    }
    case 'maxLength':
      return blocked(`Too long: may not be more than ${String(params['limit'])} bytes`);
    case 'maxItems':
      return blocked(
        `Too many: ${(value as readonly unknown[]).length}: must have at most ${String(params['limit'])} items`,
      );
    case 'maxProperties':
      return blocked(
        `Too many: ${Object.keys(value as object).length}: must have at most ${String(params['limit'])} items`,
      );
    case 'minLength':
      return invalid(`be at least ${String(params['limit'])} chars long`);
    case 'minItems':
      return invalid(`have at least ${String(params['limit'])} items`, String((value as readonly unknown[]).length));
    case 'minimum':
      return invalid(`be greater than or equal to ${String(params['limit'])}`);
    case 'maximum':
      return invalid(`be less than or equal to ${String(params['limit'])}`);
    case 'pattern':
      return invalid(`match '${String(params['pattern'])}'`);
    default:
      return {
        field,
        message: `Invalid value: ${JSON.stringify(value)}: ${error.message ?? error.keyword}`,
        blocking: false,
      };
  }
}

function typeName(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return Number.isInteger(value) ? 'integer' : typeof value;
}
