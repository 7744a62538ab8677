import { longInteger } from '../../common/text/long-integers.ts';

/** What the client did wrong, as a status and a sentence that says where and what was expected. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
  readonly status: number;
  /** Names and values of headers that its answer must have. */
  readonly headers: readonly string[];

  constructor(message: string, status = 400, headers: readonly string[] = []) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}

/** A client's text within a sentence: quoted, on one line, cut at 80 characters so that an answer stays small whatever was sent. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}

/** What a JSON value is, for a sentence; never its content, which may be of any depth and size. */
export function describe(value: unknown): string {
  if (value === undefined) return 'missing';
  if (value === null) return 'null';
  if (typeof value === 'string') return quote(value);
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return longInteger(value)?.toString() ?? 'an object';
}
