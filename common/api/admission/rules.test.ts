/** What a rule may say, and no rule of our own definitions does; the wording is an API server's, which was asked the same. */
import { describe, expect, test } from '@jest/globals';
import type { Schema } from './definition.ts';
import { ruleCauses } from './rules.ts';

function messages(schema: Schema, value: unknown, old?: unknown): string[] {
  return ruleCauses(
    { type: 'object', properties: { a: schema } },
    { a: value },
    old === undefined ? undefined : { a: old },
  ).map(({ field, message }) => `${field}: ${message}`);
}

function integer(rule: string, more: object = {}): Schema {
  return { type: 'integer', 'x-kubernetes-validations': [{ rule, ...more }] };
}

describe('a message', () => {
  test('is the rule itself if there is none', () => {
    expect(messages(integer('self > 5'), 1)).toEqual(['a: Invalid value: "integer": failed rule: self > 5']);
  });

  test('is computed', () => {
    const schema = integer('self > 5', { message: 'must be more', messageExpression: `'must be ' + string(self + 5)` });
    expect(messages(schema, 1)).toEqual(['a: Invalid value: "integer": must be 6']);
  });

  test.each([['self.nothing'], [`' '`], ['1']])(
    'is the fixed one where the computed one is %s',
    (messageExpression) => {
      const schema = integer('self > 5', { message: 'must be more', messageExpression });
      expect(messages(schema, 1)).toEqual(['a: Invalid value: "integer": must be more']);
    },
  );

  test.each([
    ['FieldValueInvalid', 'Invalid value: "integer": must be more'],
    ['FieldValueForbidden', 'Forbidden: must be more'],
    ['FieldValueRequired', 'Required value: must be more'],
    ['FieldValueDuplicate', 'Duplicate value: "integer"'],
  ])('follows the reason %s', (reason, want) => {
    expect(messages(integer('self > 5', { reason, message: 'must be more' }), 1)).toEqual([`a: ${want}`]);
  });

  test('says what an evaluation ran into', () => {
    const schema: Schema = {
      type: 'object',
      'x-kubernetes-validations': [{ rule: 'self.b > 5', message: 'must be more' }],
    };
    expect(messages(schema, {})).toEqual(['a: Invalid value: "object": no such key: b evaluating rule: must be more']);
  });
});

describe('a rule on oldSelf', () => {
  const frozen: Schema = {
    type: 'object',
    properties: { key: { type: 'string' }, value: integer('self == oldSelf', { message: 'is immutable' }) },
  };

  test('finds the old item of a list by its keys', () => {
    const list: Schema = {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['key'],
      items: frozen,
    };
    const old = [
      { key: 'x', value: 1 },
      { key: 'y', value: 2 },
    ];
    expect(
      messages(
        list,
        [
          { key: 'y', value: 2 },
          { key: 'z', value: 3 },
          { key: 'x', value: 9 },
        ],
        old,
      ),
    ).toEqual(['a[2].value: Invalid value: "integer": is immutable']);
  });

  test('finds the old entry of a map', () => {
    const map: Schema = { type: 'object', additionalProperties: frozen };
    expect(messages(map, { x: { value: 9 }, y: { value: 2 } }, { x: { value: 1 } })).toEqual([
      'a[x].value: Invalid value: "integer": is immutable',
    ]);
  });

  test('does not hold in an atomic list, whose items have no identity', () => {
    const list: Schema = { type: 'array', 'x-kubernetes-list-type': 'atomic', items: frozen };
    expect(messages(list, [{ value: 9 }], [{ value: 1 }])).toEqual([]);
  });
});

describe('the expression language', () => {
  const holds = (rule: string, schema: Schema, value: unknown): string[] =>
    messages({ ...schema, 'x-kubernetes-validations': [{ rule }] }, value);

  test.each<[string, Schema, unknown]>([
    ['self / 2 == 2', { type: 'integer' }, 5],
    ['self / 2.0 == 2.5', { type: 'number' }, 5],
    ['type(self) == int', { 'x-kubernetes-int-or-string': true }, 5],
    ['type(self) == string', { 'x-kubernetes-int-or-string': true }, '5'],
    [`self < timestamp('2026-01-02T00:00:00Z')`, { type: 'string', format: 'date-time' }, '2026-01-01T00:00:00Z'],
    ['self.sum() == 6', { type: 'array', items: { type: 'integer' } }, [1, 2, 3]],
    ['self.sum() == 0', { type: 'array', items: { type: 'integer' } }, []],
    ['self.sum() == 3.5', { type: 'array', items: { type: 'number' } }, [1, 2.5]],
    ['self.min() == 1 && self.max() == 3', { type: 'array', items: { type: 'integer' } }, [2, 3, 1]],
    ['self.isSorted()', { type: 'array', items: { type: 'string' } }, ['a', 'b', 'b']],
    ['!self.isSorted()', { type: 'array', items: { type: 'string' } }, ['b', 'a']],
    [`quantity(self).compareTo(quantity('1Ki')) == 0`, { type: 'string' }, '1024'],
    [
      `quantity(self).isLessThan(quantity('1')) && !quantity(self).isGreaterThan(quantity('1'))`,
      { type: 'string' },
      '1m',
    ],
    [`'k' in self && !('l' in self)`, { type: 'object', additionalProperties: { type: 'string' } }, { k: 'v' }],
  ])('knows %s', (rule, schema, value) => {
    expect(holds(rule, schema, value)).toEqual([]);
  });

  test.each<[string, Schema, unknown, string]>([
    ['self.min() == 1', { type: 'array', items: { type: 'integer' } }, [], 'min called on empty list'],
    [
      `quantity(self).isLessThan(quantity('1'))`,
      { type: 'string' },
      'x',
      'quantities must match the regular expression',
    ],
  ])('says why it cannot tell %s', (rule, schema, value, why) => {
    expect(holds(rule, schema, value)).toEqual([expect.stringContaining(why)]);
  });

  test.each(['self.unknown()', 'ip(self)', 'self +'])('does not compile %s', (rule) => {
    expect(() => holds(rule, { type: 'string' }, 'x')).toThrow();
  });
});
