/** A chart's values as a page of the reference: every key with its type, bounds, default and description. */
import { format } from 'prettier';
import { isDescribedAsWhole, type ValuesSchema } from './chart-values.ts';
import type { DocumentedValue } from './documented-values.ts';

const INTRODUCTION = `Values of the chart in \`charts/pilotlight\`. \`helm show values charts/pilotlight\` prints them as YAML. Helm refuses a key that is not
here, and a value that is out of its bounds.`;

/**
 * The page's text, in Markdown.
 *
 * @param defaults values.yaml, parsed
 */
export function generateValuesPage(
  schema: ValuesSchema,
  values: readonly DocumentedValue[],
  defaults: unknown,
  notice: string,
): Promise<string> {
  const isLeaf = ({ path }: DocumentedValue): boolean => isDescribedAsWhole(path, values);
  const table = (rows: readonly DocumentedValue[]): string =>
    [
      '| key | type | default | meaning |',
      '| --- | --- | --- | --- |',
      ...rows.map(({ path, description }) => {
        const fallback = `\`${JSON.stringify(valueAt(defaults, path))}\``;
        return `| ${[`\`${path}\``, typeOf(schemaAt(schema, path)), fallback, description].map(cell).join(' | ')} |`;
      }),
    ].join('\n');
  const sections = values
    .filter(({ path }) => !path.includes('.'))
    .flatMap((section) => {
      if (isLeaf(section)) return [`## ${section.path}`, table([section])];
      const inside = values.filter(({ path }) => path.startsWith(`${section.path}.`));
      const groups = inside.filter((value) => !isLeaf(value));
      const list = groups.map(({ path, description }) => `- \`${path}\`: ${description}`).join('\n');
      return [`## ${section.path}`, section.description, list, table(inside.filter(isLeaf))];
    });
  return format([`<!-- ${notice} -->`, '# Helm values', INTRODUCTION, ...sections].join('\n\n'), {
    parser: 'markdown',
    printWidth: 120,
  });
}

function schemaAt(root: ValuesSchema, path: string): ValuesSchema {
  const found = path.split('.').reduce<ValuesSchema>((at, name) => {
    const { $ref, ...own } = at.properties?.[name] ?? {};
    return { ...own, ...(root.definitions?.[$ref?.replace('#/definitions/', '') ?? ''] ?? {}) };
  }, root);
  return found;
}

function valueAt(defaults: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((at, name) => (at as Readonly<Record<string, unknown>>)[name], defaults);
}

function typeOf({ type, enum: choices, minimum, maximum }: ValuesSchema): string {
  if (choices !== undefined) return `one of ${choices.map((choice) => `\`${JSON.stringify(choice)}\``).join(', ')}`;
  const name = type === undefined ? 'integer or percentage' : [type].flat().join(' or ').replace('array', 'list');
  return minimum === undefined ? name : `${name}, ${minimum} to ${maximum ?? 'any'}`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
