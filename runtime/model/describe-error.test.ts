import { describe, expect, test } from '@jest/globals';
import { describeError, isMachineFailure } from './describe-error.ts';

describe('describeError', () => {
  test.each([
    [
      "Non-zero status code returned while running Gather node. Name:'' Status Message: indices element out of data bounds, idx=9 must be within the inclusive range [-4,3]",
      'Gather node: indices element out of data bounds, idx=9 must be within the inclusive range [-4,3]',
    ],
    [
      "Non-zero status code returned while running Add node. Name:'sum' Status Message: /onnxruntime_src/onnxruntime/core/providers/cpu/math/element_wise_ops.h:563 void onnxruntime::BroadcastIterator::Init(ptrdiff_t, ptrdiff_t) axis == 1 || axis == largest was false. Attempting to broadcast an axis by a dimension other than 1. 3 by 7\n",
      'Add node "sum": axis == 1 || axis == largest was false. Attempting to broadcast an axis by a dimension other than 1. 3 by 7',
    ],
    [
      "Non-zero status code returned while running MatMul node. Name:'' Status Message: matmul_helper.h:59 Compute MatMul dimension mismatch",
      'MatMul node: MatMul dimension mismatch',
    ],
    [
      'Load model from /tmp/models/model.onnx failed:/onnxruntime_src/onnxruntime/core/graph/model.cc:187 onnxruntime::Model::Model(onnx::ModelProto&&, const onnxruntime::PathString&, const onnxruntime::IOnnxRuntimeOpSchemaRegistryList*, const onnxruntime::logging::Logger&, const onnxruntime::ModelOptions&) ModelProto does not have a graph.\n',
      'ModelProto does not have a graph.',
    ],
    ['Load model from /tmp/model.onnx failed:Protobuf parsing failed.', 'Protobuf parsing failed.'],
    ['\u001b[1;31mcannot open /usr/lib/x/libfoo.so.1: missing\u001b[m', 'cannot open (file): missing'],
    ['a / b is not a path', 'a / b is not a path'],
  ])('makes a sentence of %j', (raw, sentence) => {
    expect(describeError(new Error(raw))).toBe(sentence);
  });

  test('bounds the length', () => {
    expect(describeError('x'.repeat(10_000))).toHaveLength(502);
  });
});

describe('isMachineFailure', () => {
  test.each([
    ['BFCArena::AllocateRawInternal Failed to allocate memory for requested buffer of size 99', true],
    ['CUDA failure 2: out of memory', true],
    ['indices element out of data bounds', false],
  ])('judges %j', (message, expected) => {
    expect(isMachineFailure(message)).toBe(expected);
  });
});
