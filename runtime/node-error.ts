/**
 * What can be read from an error that Node, a native module or another thread threw. It is read by its shape: `instanceof Error` is false for errors
 * of another realm, such as Node's own under jest.
 */

/** The message of an error, or anything else as text. */
export function errorText(error: unknown): string {
  return textOf(error, 'message') ?? String(error);
}

/** ENOENT, ECONNRESET and the like. */
export function errorCode(error: unknown): string | undefined {
  return textOf(error, 'code');
}

function textOf(error: unknown, key: 'message' | 'code'): string | undefined {
  if (typeof error !== 'object' || error === null || !(key in error)) return undefined;
  const value = (error as Record<string, unknown>)[key];
  return typeof value === 'string' ? value : undefined;
}
