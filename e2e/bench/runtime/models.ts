/** The models of the benchmark, each for one thing that a server can be bad at. All but the first are made when it begins. */
import { join } from 'node:path';
import { writeOnnxFile, type OnnxNode } from './onnx-file.ts';

export interface BenchModel {
  readonly name: string;
  /** What it stands for, in a table. */
  readonly title: string;
  readonly path: string;
  readonly input: { readonly name: string; readonly shape: readonly number[] };
}

const ROOT = join(import.meta.dirname, '..', '..', '..');
const BATCH = 'batch';
const IMAGE = [3, 224, 224] as const;
export const WIDE = 150_528;

export type ModelName = 'digits' | 'mlp' | 'conv' | 'wide';

/** Writes the models into the directory: 100 MB, in about a second. */
export function makeModels(directory: string): Readonly<Record<ModelName, BenchModel>> {
  const at = (name: string): string => join(directory, `${name}.onnx`);
  writeMlp(at('mlp'));
  writeConvolutions(at('conv'));
  writeWide(at('wide'));
  return {
    digits: {
      name: 'digits',
      title: 'digits, 64 floats',
      path: join(ROOT, 'examples', 'digits', 'model.onnx'),
      input: { name: 'pixels', shape: [1, 64] },
    },
    mlp: { name: 'mlp', title: 'MLP of 100 MB', path: at('mlp'), input: { name: 'x', shape: [1, MLP_LAYERS[0]] } },
    conv: {
      name: 'conv',
      title: 'convolutions, 3x224x224',
      path: at('conv'),
      input: { name: 'x', shape: [1, ...IMAGE] },
    },
    wide: { name: 'wide', title: '150k floats in, 4 out', path: at('wide'), input: { name: 'x', shape: [1, WIDE] } },
  };
}

/** 25.8 million weights: a run of one row reads them all and is done with each, so that rows together cost little more than one. */
const MLP_LAYERS = [512, 2688, 2688, 2688, 2688, 1024] as const;

export function writeMlp(path: string): void {
  const nodes: OnnxNode[] = [];
  const weights: Record<string, number[]> = {};
  let from = 'x';
  MLP_LAYERS.slice(1).forEach((size, layer) => {
    const last = layer === MLP_LAYERS.length - 2;
    weights[`w${layer}`] = [MLP_LAYERS[layer] ?? 0, size];
    const product = last ? 'y' : `p${layer}`;
    nodes.push({ operator: 'MatMul', inputs: [from, `w${layer}`], output: product });
    if (!last) nodes.push({ operator: 'Relu', inputs: [product], output: `h${layer}` });
    from = `h${layer}`;
  });
  const size = MLP_LAYERS.at(-1) ?? 0;
  writeOnnxFile(path, {
    input: { name: 'x', shape: [BATCH, MLP_LAYERS[0]] },
    output: { name: 'y', shape: [BATCH, size] },
    nodes,
    weights,
  });
}

/** Four convolutions that halve the image, then one dense layer: some milliseconds, nearly all of them arithmetic. */
function writeConvolutions(path: string): void {
  const channels = [3, 24, 48, 96, 96];
  const nodes: OnnxNode[] = [];
  const weights: Record<string, number[]> = { classes: [96, 1000] };
  let from = 'x';
  channels.slice(1).forEach((size, layer) => {
    weights[`k${layer}`] = [size, channels[layer] ?? 0, 3, 3];
    const attributes = { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] };
    nodes.push(
      { operator: 'Conv', inputs: [from, `k${layer}`], output: `c${layer}`, attributes },
      { operator: 'Relu', inputs: [`c${layer}`], output: `h${layer}` },
    );
    from = `h${layer}`;
  });
  nodes.push(
    { operator: 'GlobalAveragePool', inputs: [from], output: 'pooled' },
    { operator: 'Flatten', inputs: ['pooled'], output: 'flat', attributes: { axis: 1 } },
    { operator: 'MatMul', inputs: ['flat', 'classes'], output: 'y' },
  );
  writeOnnxFile(path, {
    input: { name: 'x', shape: [BATCH, ...IMAGE] },
    output: { name: 'y', shape: [BATCH, 1000] },
    nodes,
    weights,
  });
}

/** As many floats as an image has and nearly no arithmetic: what is left is the cost of moving them. */
export function writeWide(path: string): void {
  writeOnnxFile(path, {
    input: { name: 'x', shape: [BATCH, WIDE] },
    output: { name: 'y', shape: [BATCH, 4] },
    nodes: [{ operator: 'MatMul', inputs: ['x', 'w'], output: 'y' }],
    weights: { w: [WIDE, 4] },
  });
}
