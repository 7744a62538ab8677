/** What admission reads of a CustomResourceDefinition as a TypeScript module: `MODEL_FUNCTION_DEFINITION`. */
import { format } from 'prettier';
import type { Definition } from '../../common/api/admission/definition.ts';

/** The module's text, without its first line. */
export async function generateDefinitionModule({ spec }: Definition): Promise<string> {
  const definition: Definition = {
    spec: {
      group: spec.group,
      scope: spec.scope,
      names: { kind: spec.names.kind, plural: spec.names.plural },
      versions: spec.versions.map(({ name, schema, subresources }) => ({
        name,
        schema,
        ...(subresources && { subresources }),
      })),
    },
  };
  const name = `${spec.names.kind.replaceAll(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase()}_DEFINITION`;
  const text = `import type { Definition } from '../admission/definition.ts';

export const ${name}: Definition = ${JSON.stringify(withoutDescriptions(definition))};
`;
  return format(text, { parser: 'typescript', printWidth: 120, singleQuote: true });
}

/** Nobody reads descriptions from the module, and they are half of it. A field that is called description stays: its value is an object. */
function withoutDescriptions(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDescriptions);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([key, field]) => key !== 'description' || typeof field !== 'string');
  return Object.fromEntries(kept.map(([key, field]) => [key, withoutDescriptions(field)]));
}
