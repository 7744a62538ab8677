/** JSON text to a value, bounded, with long integers exact where 64-bit tensors need them. */
import { isUtf8 } from 'node:buffer';
import { ProtocolError } from './protocol-error.ts';

/**
 * Longest JSON taken. Parsed JSON can be 20 times its text (`{},` becomes an object of 56 bytes), and a heap that overflows ends the process:
 * 16 MiB are then at most 0.4 GiB. It holds two million numbers; whoever has more sends them as binary tensors.
 */
export const MAX_JSON_BYTES = 16 * 1024 * 1024;

/** A BigInt of more digits than UINT64 has would only cost time. */
const LONG_INTEGER = /^-?\d{16,20}$/;

/** Throws ProtocolError for what is too long, not UTF-8 or not JSON. */
export function parseJson(bytes: Buffer): unknown {
  if (bytes.length > MAX_JSON_BYTES) {
    throw new ProtocolError(
      `${bytes.length} bytes of JSON are too many; ${MAX_JSON_BYTES} are taken. Send tensors of this size as binary data.`,
      413,
    );
  }
  if (!isUtf8(bytes)) throw new ProtocolError('The JSON of the request is not UTF-8.');
  const text = bytes.toString('utf8');
  try {
    // The reviver sees each number's own text, but is five times slower: only where an integer beyond 2^53 may stand in a 64-bit tensor.
    return text.includes('INT64"') && /\d{16}/.test(text) ? JSON.parse(text, exactInteger) : JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ProtocolError(`The request is not JSON: ${reason}. NaN and Infinity are written as strings.`);
  }
}

function exactInteger(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  const source = context?.source ?? '';
  return LONG_INTEGER.test(source) ? BigInt(source) : value;
}
