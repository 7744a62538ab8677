/** A tensor's elements as JSON, in the form that decodeJsonElements reads: exact 64-bit integers, and NaN and the infinities as strings. */
import { isUtf8 } from 'node:buffer';
import type { Tensor } from '../inference.ts';
import { unpackBytesElements } from './bytes-elements.ts';
import { typedElements } from './element-types.ts';
import { ProtocolError } from './protocol-error.ts';

/** The elements as a flat JSON array. Throws ProtocolError for BYTES that are not UTF-8: JSON has no form for them. */
export function encodeJsonElements({ name, datatype, data }: Tensor): string {
  if (datatype === 'BYTES') {
    return `[${unpackBytesElements(data)
      .map((element) => encodeString(name, element))
      .join(',')}]`;
  }
  if (datatype === 'BOOL') return `[${Array.from(data, (byte) => byte !== 0).join(',')}]`;
  const text = typedElements(datatype, data).join(',');
  return `[${/[NI]/.test(text) ? text.replaceAll(/NaN|-?Infinity/g, '"$&"') : text}]`;
}

function encodeString(name: string, element: Buffer): string {
  if (!isUtf8(element)) {
    throw new ProtocolError(
      `Output "${name}" has bytes that are not UTF-8, which JSON cannot carry; ask for it with parameters {"binary_data": true}.`,
    );
  }
  return JSON.stringify(element.toString('utf8'));
}
