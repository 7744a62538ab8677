import { expect, test } from '@jest/globals';
import { withoutManagedFields } from './without-managed-fields.ts';

test('an object keeps all but the record of who set what', () => {
  const object = { kind: 'Secret', metadata: { name: 'a', labels: { a: 'b' }, managedFields: [{ manager: 'us' }] } };
  expect(withoutManagedFields(object)).toEqual({ kind: 'Secret', metadata: { name: 'a', labels: { a: 'b' } } });
});

test.each([undefined, null, 'text', {}, { metadata: null }, { metadata: { name: 'a' } }])('%j is let be', (value) => {
  expect(withoutManagedFields(value)).toBe(value);
});
