import { describe, expect, test } from '@jest/globals';
import { manifestChanges, readManifests } from './manifests.ts';

function file(text: string, path = '/models/digits/function.yaml'): { path: string; text: string } {
  return { path, text };
}

const digits = (uri: string, metadata = 'name: digits'): string =>
  `apiVersion: pilotlight.dev/v1alpha1\nkind: ModelFunction\nmetadata: {${metadata}}\nspec: {model: {uri: "${uri}"}}\n`;

describe('reading', () => {
  test.each([
    { uri: 'file:model.onnx', located: 'file:///models/digits/model.onnx' },
    { uri: 'file:../model.onnx', located: 'file:///models/model.onnx' },
    { uri: 'file:///elsewhere/model.onnx', located: 'file:///elsewhere/model.onnx' },
    { uri: 'https://example.org/model.onnx', located: 'https://example.org/model.onnx' },
  ])('$uri is found at $located', ({ uri, located }) => {
    const { manifests, valid } = readManifests([file(digits(uri))]);
    expect(valid).toBe(true);
    expect(manifests.get('default/digits')?.spec.model.uri).toBe(located);
  });

  test('a namespace is kept', () => {
    const { manifests } = readManifests([file(digits('file:a', 'name: digits, namespace: vision'))]);
    expect([...manifests.keys()]).toEqual(['vision/digits']);
  });

  test('one wrong document leaves all of them out, and is named with its line', () => {
    const { manifests, findings, valid } = readManifests([
      file(`${digits('file:a')}---\n${digits('ftp:b', 'name: other')}`),
    ]);
    expect({ size: manifests.size, valid }).toEqual({ size: 0, valid: false });
    expect(findings.join()).toMatch(/^\/models\/digits\/function\.yaml:9: spec\.model\.uri: /);
  });

  test('another kind is left out and said so', () => {
    const service = 'apiVersion: v1\nkind: Service\nmetadata: {name: other}\n';
    const { manifests, findings, valid } = readManifests([file(`${digits('file:a')}---\n${service}`)]);
    expect({ size: manifests.size, valid, findings: findings.length }).toEqual({ size: 1, valid: true, findings: 1 });
  });
});

test('a function that stands twice counts as it stands last, and that is said', () => {
  const { manifests, findings, valid } = readManifests([
    file(digits('file:a'), '/models/a.yaml'),
    file(digits('file:b'), '/models/b.yaml'),
  ]);
  expect(manifests.get('default/digits')?.spec.model.uri).toBe('file:///models/b');
  expect(findings).toEqual(['/models/b.yaml: ModelFunction default/digits replaces the one in /models/a.yaml']);
  expect(valid).toBe(true);
});

describe('an edit', () => {
  const before = readManifests([file(`${digits('file:a')}---\n${digits('file:b', 'name: other')}`)]).manifests;

  test('that changes nothing applies nothing', () => {
    expect(manifestChanges(before, new Map(before))).toEqual({ apply: [], remove: [] });
  });

  test('of one function applies that one, and removes one that is gone', () => {
    const after = readManifests([file(digits('file:c'))]).manifests;
    const { apply, remove } = manifestChanges(before, after);
    expect(apply.map(({ spec }) => spec.model.uri)).toEqual(['file:///models/digits/c']);
    expect(remove.map(({ metadata }) => metadata.name)).toEqual(['other']);
  });
});
