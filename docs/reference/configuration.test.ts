import { expect, test } from '@jest/globals';
import { RUNTIME_ENVIRONMENT } from '../../common/wire/runtime-environment.ts';
import { GATEWAY_DEFAULTS, GATEWAY_ENVIRONMENT, readConfiguration } from '../../gateway/configuration.ts';
import { OPERATOR_ENVIRONMENT } from '../../operator/configuration.ts';
import { DEFAULT_MAX_BODY_BYTES } from '../../runtime/configuration.ts';
import { readPage, tableBelow } from '../markdown.ts';

const page = readPage('reference/configuration.md');

test.each([
  { heading: '## Operator', names: Object.values(OPERATOR_ENVIRONMENT) },
  { heading: '## Gateway', names: Object.values(GATEWAY_ENVIRONMENT) },
  { heading: '## Runtime', names: Object.values(RUNTIME_ENVIRONMENT) },
])('lists exactly the variables below $heading', ({ heading, names }) => {
  expect(tableBelow(page, heading).map(([name]) => name)).toEqual(names);
});

test('gives the default of each of the gateway’s numbers', () => {
  const rows = tableBelow(page, '## Gateway').filter(([, value = '']) => /^\d+$/.test(value));
  const told = Object.fromEntries([
    ['PILOTLIGHT_CONTROL_TOKEN', 'secret'],
    ...rows.map(([name = '', value = '']) => [name, value]),
  ]) as Record<string, string>;
  expect(rows).toHaveLength(10);
  expect(readConfiguration(told, '')).toMatchObject(GATEWAY_DEFAULTS);
});

test('gives the largest number that each of the gateway’s variables takes, and no larger one', () => {
  for (const [name = '', , bounds = ''] of tableBelow(page, '## Gateway')) {
    const [, most] = /^0 to (\d+)$/.exec(bounds) ?? [];
    if (most === undefined) continue;
    const given = (value: number): Record<string, string> => ({
      PILOTLIGHT_CONTROL_TOKEN: 'secret',
      [name]: String(value),
    });
    expect(() => readConfiguration(given(Number(most)), '')).not.toThrow();
    expect(() => readConfiguration(given(Number(most) + 1), '')).toThrow(name);
  }
});

test('gives the runtime’s largest body', () => {
  const row = tableBelow(page, '## Runtime').find(([name]) => name === RUNTIME_ENVIRONMENT.maxBodyBytes);
  expect(row?.[1]).toBe(String(DEFAULT_MAX_BODY_BYTES));
});
