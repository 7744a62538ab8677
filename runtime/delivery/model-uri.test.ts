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
    ['model.onnx', 'has no scheme'],
    ['s3://bucket/model.onnx', 'has the scheme "s3"'],
    ['file://models/a.onnx', 'is not a valid file URI'],
    ['file:%zz', 'is not a valid file URI'],
    ['file:', 'names no file'],
    ['http://', 'is not a valid URL'],
    ['pvc://models/../a.onnx', 'names no file on a claim'],
  ])('refuses %s and names the forms there are', (uri, problem) => {
    expect(() => parseModelUri(uri, '/')).toThrow(
      expect.objectContaining({
        reason: 'ConfigurationInvalid',
        message: expect.stringMatching(new RegExp(`${problem}.*It must be file:/absolute`)),
      }),
    );
  });

  test.each([
    ['https://user:secret@host/a?token=b#c', 'https://host/a'],
    ['http://host/a@b', 'http://host/a@b'],
    ['file:a.onnx', 'file:a.onnx'],
  ])('prints %s without secrets', (uri, printed) => {
    expect(printableUri(uri)).toBe(printed);
  });
});
