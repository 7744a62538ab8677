import { expect, test } from '@jest/globals';
import { metadataCauses } from './object-metadata.ts';
import { BUILT_IN_RESOURCES, type ResourceDefinition } from './resource-definition.ts';

const NAMESPACED = definition('Secret');
const CLUSTERED = definition('Node');
const FINE = { name: 'a', namespace: 'default' };

test.each<[string, Record<string, unknown>]>([
  ['a name with dots', { ...FINE, name: 'a.b-c.0' }],
  ['labels', { ...FINE, labels: { 'pilotlight.dev/function': 'Digits_1.x', plain: '' } }],
  ['annotations of any text', { ...FINE, annotations: { 'Example.com/Note': 'ü'.repeat(1000) } }],
  [
    'an owner',
    { ...FINE, ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'b', uid: 'c', controller: true }] },
  ],
  ['a finalizer', { ...FINE, finalizers: ['pilotlight.dev/routes'] }],
])('%s can be stored', (_name, metadata) => {
  expect(metadataCauses(NAMESPACED, metadata)).toEqual([]);
});

test.each<[string, Record<string, unknown>, string]>([
  ['no name', { namespace: 'default' }, 'metadata.name'],
  ['a name in upper case', { ...FINE, name: 'A' }, 'metadata.name'],
  ['a name with an empty part', { ...FINE, name: 'a..b' }, 'metadata.name'],
  ['a name that is too long', { ...FINE, name: 'a'.repeat(254) }, 'metadata.name'],
  ['no namespace', { name: 'a' }, 'metadata.namespace'],
  ['a namespace with a dot', { ...FINE, namespace: 'a.b' }, 'metadata.namespace'],
  ['a label key with two slashes', { ...FINE, labels: { 'a/b/c': 'd' } }, 'metadata.labels'],
  ['a label value that is too long', { ...FINE, labels: { a: 'b'.repeat(64) } }, 'metadata.labels[a]'],
  ['a label value that is a number', { ...FINE, labels: { a: 1 } }, 'metadata.labels[a]'],
  ['labels that are a list', { ...FINE, labels: ['a'] }, 'metadata.labels'],
  ['an annotation that is a boolean', { ...FINE, annotations: { a: true } }, 'metadata.annotations[a]'],
  ['annotations that are too long', { ...FINE, annotations: { a: 'b'.repeat(262_145) } }, 'metadata.annotations'],
  [
    'an owner without a uid',
    { ...FINE, ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'b' }] },
    'metadata.ownerReferences[0].uid',
  ],
  ['a finalizer without a domain', { ...FINE, finalizers: ['routes'] }, 'metadata.finalizers[0]'],
])('%s is refused, and the field named', (_name, metadata, field) => {
  expect(metadataCauses(NAMESPACED, metadata)).toEqual([{ field, message: expect.any(String) }]);
});

test('only one owner controls', () => {
  const owner = { apiVersion: 'v1', kind: 'Pod', name: 'b', uid: 'c', controller: true };
  const causes = metadataCauses(NAMESPACED, { ...FINE, ownerReferences: [owner, { ...owner, uid: 'd' }] });
  expect(causes.map(({ field }) => field)).toEqual(['metadata.ownerReferences']);
});

test('an object of the cluster has no namespace', () => {
  expect(metadataCauses(CLUSTERED, { name: 'a' })).toEqual([]);
  expect(metadataCauses(CLUSTERED, FINE).map(({ field }) => field)).toEqual(['metadata.namespace']);
});

function definition(kind: string): ResourceDefinition {
  const found = BUILT_IN_RESOURCES.find((resource) => resource.kind === kind);
  if (found === undefined) throw new Error(kind);
  return found;
}
