import { expect, test } from '@jest/globals';
import { parseModelClaim } from './model-claim.ts';

test.each([
  ['pvc://models/model.onnx', 'models', '/model.onnx'],
  ['pvc://models.team-1/a/b%20c.onnx', 'models.team-1', '/a/b c.onnx'],
  ['PVC://models/..a.onnx', 'models', '/..a.onnx'],
  ['pvc://models/', 'models', '/'],
  ['pvc://models/digits/', 'models', '/digits/'],
])('%s is a file or folder on a claim', (uri, claim, path) => {
  expect(parseModelClaim(uri)).toEqual({ claim, path });
});

test.each([
  'file:/models/model.onnx',
  'pvc://models',
  'pvc:///model.onnx',
  'pvc://Models/model.onnx',
  'pvc://models/../model.onnx',
  'pvc://models/%2e%2e/model.onnx',
  'pvc://models/a%2F..%2F..%2Fmodel.onnx',
  'pvc://models/%zz',
  'pvc://models/a%00',
])('%s is none', (uri) => {
  expect(parseModelClaim(uri)).toBeUndefined();
});
