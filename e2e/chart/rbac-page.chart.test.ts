/** docs/reference/rbac.md says of roles what the chart makes. */
import { expect, test } from '@jest/globals';
import { readPage, tableBelow } from '../../docs/markdown.ts';
import { render } from './support/chart.ts';

interface Rule {
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

const page = readPage('reference/rbac.md');
const roles = render()
  .filter(({ kind }) => kind === 'ClusterRole' || kind === 'Role')
  .map(({ kind, metadata, ...rest }) => ({
    name: `${kind} ${metadata.name}`,
    labels: metadata.labels ?? {},
    rules: (rest as unknown as { readonly rules: readonly Rule[] }).rules,
  }));
const isOfPeople = ({ labels }: (typeof roles)[number]): boolean =>
  Object.keys(labels).some((label) => AGGREGATE.test(label));
const AGGREGATE = /\/aggregate-to-(\w+)$/;

function rowsBelow(heading: string): string[][] {
  return tableBelow(page, heading).map((cells) => cells.map((cell) => cell.replaceAll('`', '')));
}

test('every rule of the operator, resource by resource', () => {
  const rules = roles
    .filter((role) => !isOfPeople(role))
    .flatMap(({ name, rules }) =>
      rules.flatMap(({ resources, resourceNames = [], verbs }) =>
        resources.map((resource) => [name, resource, resourceNames.join(', '), verbs.join(', ')]),
      ),
    );
  expect(
    rowsBelow('## Operator')
      .map((cells) => cells.slice(0, 4))
      .sort(),
  ).toEqual(rules.sort());
});

test('every rule of people', () => {
  const rules = roles.filter(isOfPeople).flatMap(({ name, labels, rules }) => {
    const to = Object.keys(labels).flatMap((label) => AGGREGATE.exec(label)?.[1] ?? []);
    return rules.map(({ resources, verbs }) => [name, to.join(', '), resources.join(', '), verbs.join(', ')]);
  });
  expect(rowsBelow('## People').sort()).toEqual(rules.sort());
});
