import { expect, test } from '@jest/globals';
import { chooseModel } from './choose-model.ts';

test.each([
  [['1/model.onnx', '12/model.onnx', '2/model.onnx', 'config.pbtxt'], '12/model.onnx'],
  [['1/model.onnx', '2/notes.txt'], '1/model.onnx'],
  [['weights.bin', 'net.onnx'], 'net.onnx'],
  [['model.onnx', 'model_quantized.onnx'], 'model.onnx'],
  [['config.json', 'onnx/model.onnx', 'onnx/model_q4.onnx', 'vae/model.onnx'], 'onnx/model.onnx'],
  [['digits/1/model.onnx', 'digits/config.pbtxt'], 'digits/1/model.onnx'],
  [['__MACOSX/._net.onnx', 'net.onnx', '._net.onnx', '.DS_Store'], 'net.onnx'],
  [['99999999999999999999/model.onnx', '3/model.onnx'], '3/model.onnx'],
])('of %j the model is %s', (paths, path) => {
  expect(chooseModel(paths)).toEqual({ path });
});

test.each([
  [[], 'it is empty'],
  [['a.onnx', 'b.onnx'], 'it has several ONNX files (a.onnx, b.onnx); name one in the URI'],
  [['1/a.onnx', '1/b.onnx'], '1/ has several'],
  [['a/x.onnx', 'b/y.onnx'], 'it has no ONNX file (a/x.onnx, b/y.onnx)'],
  [['a/b/c/d/e.onnx'], 'it has no ONNX file'],
  [['0/model.onnx', 'a/model.onnx'], 'it has no ONNX file'],
])('of %j none can be told', (paths, problem) => {
  expect(chooseModel(paths)).toEqual({ problem: expect.stringContaining(problem) });
});
