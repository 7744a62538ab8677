/** JSON text to a value, bounded, with long integers exact where 64-bit tensors need them. */
import { isUtf8 } from 'node:buffer';
import { wrapLongIntegers } from '../../common/text/long-integers.ts';
import { ProtocolError } from './protocol-error.ts';

/**
 * Longest JSON taken. Parsed JSON can be 60 times its text (`[` alone becomes an array), and a heap that overflows ends the process: 16 MiB are at
 * most 1 GB. It holds two million numbers; whoever has more sends them as binary tensors.
 */
export const MAX_JSON_BYTES = 16 * 1024 * 1024;

/** Throws ProtocolError for what is too long, not UTF-8 or not JSON. Integers that a Number cannot hold are for `longInteger` to read. */
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
    return JSON.parse(text.includes('INT64"') && /\d{16}/.test(text) ? wrapLongIntegers(text) : text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ProtocolError(`The request is not JSON: ${reason}. NaN and Infinity are written as strings.`);
  }
}
