/** ONNX files that keep weights in other files, made of a few bytes of protobuf. */

function field(number: number, content: Buffer | string): Buffer {
  const bytes = Buffer.from(content);
  const length: number[] = [];
  for (let left = bytes.byteLength; ; left >>>= 7) {
    length.push(left > 127 ? (left & 127) | 128 : left);
    if (left <= 127) break;
  }
  const tag = number * 8 + 2;
  return Buffer.concat([Buffer.from(tag > 127 ? [(tag & 127) | 128, tag >>> 7] : [tag]), Buffer.from(length), bytes]);
}

export function externalTensor(location: string): Buffer {
  const entry = Buffer.concat([field(1, 'location'), field(2, location)]);
  const offset = Buffer.concat([field(1, 'offset'), field(2, '4096')]);
  return Buffer.concat([field(8, 'weight'), field(13, entry), field(13, offset)]);
}

/** IR version 8, and what the graph holds. */
export function modelOf(...graph: Buffer[]): Buffer {
  return Buffer.concat([Buffer.from([8, 8]), field(2, 'producer'), field(7, Buffer.concat(graph))]);
}

export const initializer = (tensor: Buffer): Buffer => field(5, tensor);
export const node = (...attributes: Buffer[]): Buffer =>
  field(1, Buffer.concat([field(4, 'Constant'), ...attributes.map((one) => field(5, one))]));
export const tensorAttribute = (tensor: Buffer): Buffer => Buffer.concat([field(1, 'value'), field(5, tensor)]);
export const graphAttribute = (...graph: Buffer[]): Buffer =>
  Buffer.concat([field(1, 'then_branch'), field(6, Buffer.concat(graph))]);
export const inlineTensor = (bytes: number): Buffer =>
  Buffer.concat([field(8, 'inline'), field(9, Buffer.alloc(bytes, 0x6a))]);

/** A model that ONNX Runtime would refuse, and that keeps weights in these files. */
export function modelWithData(...locations: string[]): Buffer {
  return modelOf(...locations.map((location) => initializer(externalTensor(location))));
}
