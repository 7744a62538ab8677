/** A CustomResourceDefinition as a page of the reference: every field with its type, bounds, default and rules. */
import { type Definition, type Schema, schemaOf } from '../../common/api/admission/definition.ts';

/** The page's text, in Markdown. */
export function generateReference(definition: Definition, notice: string): string {
  const root = schemaOf(definition);
  const { kind } = definition.spec.names;
  const { spec, status } = root.properties ?? {};
  return [
    `<!-- ${notice} -->`,
    `# ${kind}`,
    root.description ?? '',
    'Fields without a default may be left out unless they are required.',
    ...rulesOf(root, 'metadata'),
    '## spec',
    ...section('spec', spec ?? {}),
    '## status',
    ...section('status', status ?? {}),
    '',
  ].join('\n\n');
}

function section(path: string, schema: Schema): string[] {
  const rows = rowsBelow(path, schema);
  const table = ['| Field | Type | Default | Description |', '| --- | --- | --- | --- |', ...rows].join('\n');
  return [schema.description ?? '', ...rulesOf(schema, path), table];
}

function rulesOf(schema: Schema, path: string): string[] {
  const rules = (schema['x-kubernetes-validations'] ?? []).map(({ message = '', fieldPath }) => {
    const field = fieldPath === undefined ? path : `${path === 'metadata' ? '' : path}${fieldPath}`.replace(/^\./, '');
    return `- \`${field}\` ${escape(message)}`;
  });
  return rules.length === 0 ? [] : [rules.join('\n')];
}

function rowsBelow(path: string, schema: Schema): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const at = `${path}.${name}`;
    const inner = field.items ?? field.additionalProperties ?? field;
    const suffix = field.items ? '[]' : field.additionalProperties ? '.*' : '';
    return [row(at, field, inner, schema.required?.includes(name) ?? false), ...rowsBelow(at + suffix, inner)];
  });
}

function row(path: string, field: Schema, inner: Schema, required: boolean): string {
  const description = [
    field.description ?? '',
    ...sentences(field, 'It'),
    ...(inner === field ? [] : sentences(inner, 'Each')),
  ].join(' ');
  const fallback = required ? 'required' : field.default === undefined ? '' : `\`${JSON.stringify(field.default)}\``;
  return `| ${[`\`${path}\``, typeOf(field), fallback, description].map(cell).join(' | ')} |`;
}

function sentences(schema: Schema, subject: string): string[] {
  return (schema['x-kubernetes-validations'] ?? []).map(
    ({ message = '', fieldPath = '' }) => `${fieldPath === '' ? subject : `\`${fieldPath.slice(1)}\``} ${message}.`,
  );
}

function typeOf(schema: Schema): string {
  if (schema.items) return `list of ${typeOf(schema.items)}${atMost(schema.maxItems, 'items')}`;
  if (schema.additionalProperties)
    return `map of ${typeOf(schema.additionalProperties)}${atMost(schema.maxProperties, 'entries')}`;
  if (schema['x-kubernetes-int-or-string']) return 'quantity';
  if (schema.enum) return schema.enum.map((choice) => `\`${String(choice)}\``).join(', ');
  if (schema.type === 'integer') return `integer, ${schema.minimum ?? ''} to ${schema.maximum ?? ''}`;
  if (schema.format === 'date-time') return 'time';
  return `${schema.type ?? ''}${schema.type === 'string' ? atMost(schema.maxLength, 'characters') : ''}`;
}

function atMost(limit: number | undefined, what: string): string {
  return limit === undefined ? '' : `, at most ${limit} ${what}`;
}

function cell(text: string): string {
  return escape(text).replaceAll('|', '\\|');
}

/** `<function>` is a placeholder, not HTML. */
function escape(text: string): string {
  return text.replaceAll('<', '&lt;');
}
