/**
 * TypeScript types from a CustomResourceDefinition: `Kind` for an object as an API server stores it (what has a default is there) and
 * `KindManifest` for one as people write it (what has a default may be left out).
 */
import { type JSONSchema, compile } from 'json-schema-to-typescript';
import { format } from 'prettier';
import ts from 'typescript';
import { type Definition, type Schema, schemaOf } from '../../common/api/admission/definition.ts';

type Form = 'stored' | 'written';

/** The module's text, without its first line. */
export async function generateTypes(definition: Definition): Promise<string> {
  const root = schemaOf(definition);
  const { kind } = definition.spec.names;
  const apiVersion = `${definition.spec.group}/${definition.spec.versions[0]?.name ?? ''}`;
  const declarations = [
    await declare(root, kind, { kind, apiVersion }, 'stored'),
    await declare(root, `${kind}Manifest`, { kind, apiVersion }, 'written'),
  ];
  const text = [`import type { ObjectMeta } from '../object.ts';`, ...declarations.map(asReadonly)].join('\n\n');
  return format(text, { parser: 'typescript', printWidth: 120, singleQuote: true });
}

async function declare(
  root: Schema,
  name: string,
  type: { kind: string; apiVersion: string },
  form: Form,
): Promise<string> {
  const { properties, ...rest } = toJsonSchema(root, form);
  const identity = {
    apiVersion: { const: type.apiVersion },
    kind: { const: type.kind },
    metadata: { tsType: 'ObjectMeta' },
  };
  const schema = {
    ...rest,
    description: `${root.description ?? ''}\n\n${form === 'stored' ? 'As an API server stores it: what has a default is there.' : 'As people write it: what has a default may be left out.'}`,
    required: ['apiVersion', 'kind', 'metadata', ...(root.required ?? [])],
    // Twice, so that they come first and also win.
    properties: { ...identity, ...properties, ...identity },
  } as JSONSchema;
  return compile(schema, name, {
    bannerComment: '',
    format: false,
    ignoreMinAndMaxItems: true,
    additionalProperties: false,
  });
}

/** Kubernetes' structural schema as the JSON Schema that the type generator understands. */
function toJsonSchema(schema: Schema, form: Form): JSONSchema {
  const described = schema.description === undefined ? {} : { description: schema.description };
  if (schema['x-kubernetes-int-or-string']) return { ...described, tsType: 'number | string' };
  if (schema['x-kubernetes-preserve-unknown-fields']) return { ...described, tsType: 'Record<string, unknown>' };
  if (schema.additionalProperties) {
    return { ...described, type: 'object', additionalProperties: toJsonSchema(schema.additionalProperties, form) };
  }
  if (schema.items) return { ...described, type: 'array', items: toJsonSchema(schema.items, form) };
  if (schema.type !== 'object') {
    return { ...described, type: schema.type, ...(schema.enum && { enum: [...schema.enum] }) } as JSONSchema;
  }
  const fields = Object.entries(schema.properties ?? {});
  const defaulted =
    form === 'stored' ? fields.filter(([, field]) => field.default !== undefined).map(([name]) => name) : [];
  return {
    ...described,
    type: 'object',
    required: [...(schema.required ?? []), ...defaulted],
    properties: Object.fromEntries(fields.map(([name, field]) => [name, toJsonSchema(field, form)])),
  };
}

/** Makes every property, array and record readonly, which the type generator cannot. */
function asReadonly(declaration: string): string {
  const file = ts.createSourceFile('types.ts', declaration, ts.ScriptTarget.Latest, true);
  const { factory } = ts;
  const result = ts.transform(file, [
    (context) => (root) => {
      const visit = (node: ts.Node): ts.Node => {
        const inner = ts.visitEachChild(node, visit, context);
        if (ts.isPropertySignature(inner)) {
          return factory.updatePropertySignature(
            inner,
            [factory.createModifier(ts.SyntaxKind.ReadonlyKeyword)],
            inner.name,
            inner.questionToken,
            inner.type,
          );
        }
        if (ts.isIndexSignatureDeclaration(inner)) {
          return factory.updateIndexSignature(
            inner,
            [factory.createModifier(ts.SyntaxKind.ReadonlyKeyword)],
            inner.parameters,
            inner.type,
          );
        }
        if (ts.isArrayTypeNode(inner)) return factory.createTypeOperatorNode(ts.SyntaxKind.ReadonlyKeyword, inner);
        return inner;
      };
      return ts.visitEachChild(root, visit, context);
    },
  ]);
  const [transformed] = result.transformed;
  if (transformed === undefined) throw new Error('The TypeScript transformation gave no file');
  return ts.createPrinter().printFile(transformed);
}
