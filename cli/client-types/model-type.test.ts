import { expect, test } from '@jest/globals';
import { modelType } from './model-type.ts';

const model = { name: 'voice-activity', platform: 'onnx_onnxv1', inputs: [], outputs: [] };

test('free dimensions are numbers, fixed ones what they are', () => {
  const type = modelType({
    ...model,
    inputs: [
      { name: 'input', datatype: 'FP32', shape: [-1, 576] },
      { name: 'input:0 "x"', datatype: 'BYTES', shape: [] },
    ],
    outputs: [{ name: 'constructor', datatype: 'INT64', shape: [2] }],
  });
  expect(type)
    .toBe(`/** What "voice-activity" takes and gives, for \`client.model<VoiceActivity>(…)\` of pilotlight/client. */
export type VoiceActivity = {
  inputs: {
    input: { datatype: 'FP32'; shape: [number, 576] };
    "input:0 \\"x\\"": { datatype: 'BYTES'; shape: [] };
  };
  outputs: {
    constructor: { datatype: 'INT64'; shape: [2] };
  };
};`);
});

test('any name becomes the name of a type', () => {
  expect(modelType({ ...model, name: '3*/d' })).toContain('export type Model3D = {\n  inputs: Record<never, never>;');
});

test('a datatype that the client lacks is named', () => {
  const inputs = [{ name: 'x', datatype: 'FP8', shape: [1] }];
  expect(() => modelType({ ...model, inputs })).toThrow('"x" has the datatype "FP8"');
});
