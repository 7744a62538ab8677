/** A CustomResourceDefinition as a page of the reference: a table for each object in it, with type, default, bounds and rules of every field. */
import { type Definition, type Schema, schemaOf } from '../../common/api/admission/definition.ts';

/** Of the definition, what only readers look at. */
interface Presentation {
  readonly spec: {
    readonly names: { readonly shortNames?: readonly string[] };
    readonly versions: readonly { readonly additionalPrinterColumns?: readonly Column[] }[];
  };
}

interface Column {
  readonly name: string;
  readonly description?: string;
  readonly priority?: number;
}

/** The page's text, in Markdown. The example is a manifest, put at the top. */
export function generateReference(
  definition: Definition & Presentation,
  notice: string,
  example: string | undefined,
): string {
  const { group, names, versions } = definition.spec;
  const root = schemaOf(definition);
  const { spec = {}, status = {} } = root.properties ?? {};
  const [version] = versions;
  return [
    `<!-- ${notice} -->`,
    `# ${names.kind}`,
    root.description ?? '',
    `API version \`${group}/${version?.name ?? ''}\`, plural \`${names.plural}\`, short \`${(names.shortNames ?? []).join('`, `')}\`.`,
    ...(example === undefined ? [] : [`\`\`\`yaml\n${example.trim()}\n\`\`\``]),
    'A field that is not **required** may be left out. `kubectl explain` tells the same.',
    ...rules(root, ''),
    ...sections('spec', spec, '##'),
    ...sections('status', status, '##'),
    ...columns(version?.additionalPrinterColumns ?? []),
    '',
  ].join('\n\n');
}

/** The object's own section, and one for each object below it. */
function sections(path: string, schema: Schema, level: '##' | '###'): string[] {
  const fields = Object.entries(schema.properties ?? {});
  const table = [
    '| Field | Type | Default | Bounds | Description |',
    '| --- | --- | --- | --- | --- |',
    ...fields.map(([name, field]) => row(path, name, field, schema.required?.includes(name) ?? false)),
  ].join('\n');
  return [
    `${level} ${path}`,
    ...(schema.description === undefined || level === '###' ? [] : [escape(schema.description)]),
    ...rules(schema, path),
    table,
    ...fields.flatMap(([name, field]) =>
      isObject(innerOf(field)) ? sections(pathBelow(path, name, field), innerOf(field), '###') : [],
    ),
  ];
}

function rules(schema: Schema, path: string): string[] {
  const lines = (schema['x-kubernetes-validations'] ?? []).map(({ message = '', fieldPath }) => {
    const field = `${path}${fieldPath ?? ''}`.replace(/^\./, '');
    return `- \`${field}\` ${escape(message)}`;
  });
  return lines.length === 0 ? [] : [lines.join('\n')];
}

function row(path: string, name: string, field: Schema, required: boolean): string {
  const inner = innerOf(field);
  const description = [
    field.description ?? '',
    // Rules of an object are told in its own section.
    ...(isObject(field) ? [] : sentences(field, 'It')),
    ...(inner === field || isObject(inner) ? [] : sentences(inner, 'Each')),
  ];
  const fallback = required
    ? '**required**'
    : field.default === undefined
      ? ''
      : `\`${JSON.stringify(field.default)}\``;
  const cells = [`\`${name}\``, typeOf(path, name, field), fallback, bounds(field), escape(description.join(' '))];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function sentences(schema: Schema, subject: string): string[] {
  return (schema['x-kubernetes-validations'] ?? []).map(({ message = '' }) => `${subject} ${message}.`);
}

function typeOf(path: string, name: string, field: Schema): string {
  const inner = innerOf(field);
  const below = pathBelow(path, name, field);
  const single = isObject(inner) ? `[object](#${anchor(below)})` : scalar(inner);
  if (field.items) return `list of ${single}`;
  return field.additionalProperties ? `map of ${single}` : single;
}

function scalar(schema: Schema): string {
  if (schema['x-kubernetes-int-or-string']) return 'quantity';
  if (schema.format === 'date-time') return 'time';
  return schema.enum ? 'enum' : (schema.type ?? '');
}

function bounds(field: Schema): string {
  const inner = innerOf(field);
  return [
    atMost(field.maxItems, 'items'),
    atMost(field.maxProperties, 'entries'),
    inner.enum?.map((choice) => `\`${String(choice)}\``).join(', '),
    inner.type === 'integer' ? `${inner.minimum ?? ''} to ${inner.maximum ?? ''}` : undefined,
    inner.enum ? undefined : atMost(inner.maxLength, 'characters'),
  ]
    .filter((part) => part !== undefined)
    .join('; ');
}

function columns(all: readonly Column[]): string[] {
  const lines = all.map(({ name, description = '', priority = 0 }) => {
    return `| ${name} | ${escape(description)} | ${priority > 0 ? '`-o wide` only' : ''} |`;
  });
  return ['## kubectl get', ['| Column | Meaning | |', '| --- | --- | --- |', ...lines].join('\n')];
}

/** Elements of a list, values of a map, or the field itself. */
function innerOf(field: Schema): Schema {
  return field.items ?? field.additionalProperties ?? field;
}

function isObject(schema: Schema): boolean {
  return schema.properties !== undefined;
}

function pathBelow(path: string, name: string, field: Schema): string {
  return `${path}.${name}${field.items ? '[]' : field.additionalProperties ? '.*' : ''}`;
}

/** As GitHub makes them of headings. */
function anchor(heading: string): string {
  return heading.toLowerCase().replaceAll(/[^a-z0-9_-]/g, '');
}

function atMost(limit: number | undefined, what: string): string | undefined {
  return limit === undefined ? undefined : `at most ${limit} ${what}`;
}

/** `<function>` is a placeholder, not HTML. */
function escape(text: string): string {
  return text.replaceAll('<', '&lt;');
}
