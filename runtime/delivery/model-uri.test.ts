import { describe, expect, test } from '@jest/globals';
import { parseModelUri, printableUri } from './model-uri.ts';

describe('parseModelUri', () => {
  test.each([
    ['file:///models/a%20b.onnx', '/models/a b.onnx'],
    ['file:/models/a.onnx', '/models/a.onnx'],
    ['file:models/a.onnx', '/srv/models/a.onnx'],
    ['file:../a.onnx', '/a.onnx'],
    ['FILE:a.onnx', '/srv/a.onnx'],
    ['pvc://models/a/b.onnx', '/mnt/model/a/b.onnx'],
  ])('takes %s as a file', (uri, path) => {
    expect(parseModelUri(uri, '/srv')).toEqual({ kind: 'file', path });
  });

  test('takes http and https as URLs', () => {
    expect(parseModelUri('https://host/a?b', '/')).toMatchObject({ kind: 'http', url: { href: 'https://host/a?b' } });
  });

  test.each([
    ['s3://models/a%20b/c.onnx', { kind: 's3', bucket: 'models', key: 'a b/c.onnx' }],
    ['gs://models.team/digits/', { kind: 'gs', bucket: 'models.team', key: 'digits/' }],
    ['hf://org/model', { kind: 'hf', repository: 'org/model', revision: 'main', path: '' }],
    ['hf://org/model@v1.0/onnx/m.onnx', { kind: 'hf', repository: 'org/model', revision: 'v1.0', path: 'onnx/m.onnx' }],
    [
      'hf://org/model@refs%2Fpr%2F1/m.onnx',
      { kind: 'hf', repository: 'org/model', revision: 'refs/pr/1', path: 'm.onnx' },
    ],
    ['oci://ghcr.io/org/digits:1', { kind: 'image', path: '/mnt/model' }],
  ])('reads %s', (uri, location) => {
    expect(parseModelUri(uri, '/')).toEqual(location);
  });

  test.each([
    ['model.onnx', 'has no scheme'],
    ['azure://bucket/model.onnx', 'has the scheme "azure"'],
    ['s3://bucket', 'names no path in a bucket'],
    ['s3://bucket/a/../b', 'has an empty segment'],
    ['gs://b/a%2F%2e%2e/b', 'names no path in a bucket'],
    ['gs://bucket/%zz', 'has a "%" that begins no character'],
    ['hf://model', 'names no repository'],
    ['hf://organisation/model@a/../b', 'has an empty segment'],
    ['oci://models', 'names no image'],
    ['file://models/a.onnx', 'is not a valid file URI'],
    ['file:%zz', 'is not a valid file URI'],
    ['file:', 'names no file'],
    ['http://', 'is not a valid URL'],
    ['https:///host/a', 'is not a valid URL'],
    ['hf://org/model@a%2F../b', 'has an empty segment'],
    ['pvc://models/../a.onnx', 'names nothing on a claim'],
  ])('refuses %s and names the forms there are', (uri, problem) => {
    expect(() => parseModelUri(uri, '/')).toThrow(
      expect.objectContaining({
        reason: 'ConfigurationInvalid',
        message: expect.stringMatching(new RegExp(`${problem}.*It must be file:/absolute`)),
      }),
    );
  });

  test.each([
    'http:user:secret@host/a',
    'http:\\\\user:secret@host/a',
    'https:///user:secret@host/a',
    'https://user:sec/secret@host/a',
    'https://user:secret?x@host/a',
    'azure://user:secret@host/a',
    'file://user:secret@host/a',
  ])('refuses %s and repeats no secret of it', (uri) => {
    expect(() => parseModelUri(uri, '/')).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('secret') }),
    );
  });

  test.each([
    ['https:///user:secret@host/a', 'https:///host/a'],
    ['https://user:secret@host/a?token=b#c', 'https://host/a'],
    ['http://host/a@b', 'http://host/a@b'],
    ['file:a.onnx', 'file:a.onnx'],
  ])('prints %s without secrets', (uri, printed) => {
    expect(printableUri(uri)).toBe(printed);
  });
});
