/** One row for a model, as JSON and as binary tensors. */
import type { HttpRequest } from '../http-load.ts';
import type { BenchModel } from './models.ts';

/** What of a model a request depends on. */
export type AskedModel = Pick<BenchModel, 'name' | 'input'>;

export type Encoding = 'binary' | 'JSON';

/** What an image or a measurement gives: floats that take all their digits in JSON. */
export function makeRow({ input }: AskedModel): Float32Array {
  const length = input.shape.reduce((product, size) => product * size, 1);
  return Float32Array.from({ length }, (_, index) => Math.abs(Math.sin(index + 1)));
}

export function makeRequest(model: AskedModel, encoding: Encoding): HttpRequest {
  const { name, shape } = model.input;
  const row = makeRow(model);
  const path = `/v2/models/${model.name}/infer`;
  const tensor = { name, datatype: 'FP32', shape };
  if (encoding === 'JSON') {
    const body = JSON.stringify({ inputs: [{ ...tensor, data: Array.from(row) }] });
    return { path, headers: { 'content-type': 'application/json' }, body: Buffer.from(body) };
  }
  const document = {
    inputs: [{ ...tensor, parameters: { binary_data_size: row.byteLength } }],
    parameters: { binary_data_output: true },
  };
  const json = Buffer.from(JSON.stringify(document));
  return {
    path,
    headers: { 'content-type': 'application/octet-stream', 'inference-header-content-length': String(json.length) },
    body: Buffer.concat([json, new Uint8Array(row.buffer)]),
  };
}
