/** A tensor's elements as JSON, in the form that decodeJsonElements reads: exact 64-bit integers, and NaN and the infinities as strings. */
import type { Tensor } from '../inference.ts';
import { typedElements } from './element-types.ts';
import { unpackTexts } from './packed-texts.ts';
import { ProtocolError } from './protocol-error.ts';

/** The elements as a flat JSON array. Throws ProtocolError for BYTES that are not UTF-8: JSON has no form for them. */
export function encodeJsonElements({ name, datatype, data }: Tensor): string {
  if (datatype === 'BYTES') return JSON.stringify(unpackTexts(data, () => notUtf8(name)));
  if (datatype === 'BOOL') return `[${Array.from(data, (byte) => byte !== 0).join(',')}]`;
  const text = typedElements(datatype, data).join(',');
  return `[${/[NI]/.test(text) ? text.replaceAll(/NaN|-?Infinity/g, '"$&"') : text}]`;
}

function notUtf8(name: string): ProtocolError {
  return new ProtocolError(
    `Output "${name}" has bytes that are not UTF-8, which JSON cannot carry; ask for it with parameters {"binary_data": true}.`,
  );
}
