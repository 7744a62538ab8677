/** Reads values of unknown shape. Each function gives the value with its type or throws a FieldError that says where and what was expected. */

export class FieldError extends Error {
  override readonly name = 'FieldError';

  constructor(path: string, expected: string) {
    super(`${path} must be ${expected}.`);
  }
}

/** A Kubernetes name: of an object, or of its namespace. */
export const NAME = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;
export const TEXT = /^[^\p{Cc}]*$/u;

type Fields = Readonly<Record<string, unknown>>;

export function fields(value: unknown, path: string): Fields {
  if (!isFields(value)) throw new FieldError(path, 'an object');
  return value;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function text(value: unknown, path: string, pattern: RegExp, most: number): string {
  if (typeof value !== 'string' || value.length > most || !pattern.test(value)) {
    throw new FieldError(path, `a string of at most ${most} characters that matches ${pattern.source}`);
  }
  return value;
}

export function name(value: unknown, path: string): string {
  return text(value, path, NAME, 253);
}

export function integer(value: unknown, path: string, least: number, most: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most) {
    throw new FieldError(path, `an integer from ${least} to ${most}`);
  }
  return value;
}

export function number(value: unknown, path: string): number {
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0)
    throw new FieldError(path, 'a number of at least 0');
  return value;
}

export function boolean(value: unknown, path: string): boolean {
  if (typeof value !== 'boolean') throw new FieldError(path, 'true or false');
  return value;
}

export function oneOf<Value extends string>(value: unknown, path: string, values: readonly Value[]): Value {
  const found = values.find((one) => one === value);
  if (found === undefined) throw new FieldError(path, `one of ${values.join(', ')}`);
  return found;
}

export function list<Item>(
  value: unknown,
  path: string,
  most: number,
  read: (item: unknown, path: string) => Item,
): Item[] {
  if (!Array.isArray(value) || value.length > most) throw new FieldError(path, `a list of at most ${most}`);
  return value.map((item: unknown, index) => read(item, `${path}[${index}]`));
}

/** `{}` or `{[key]: value}`: to be spread into an object whose key may be absent but not undefined. */
export function optional<Key extends string, Value>(
  from: Fields,
  key: Key,
  path: string,
  read: (value: unknown, path: string) => Value,
): Partial<Record<Key, Value>> {
  const given = from[key];
  if (given === undefined) return {};
  const result: Partial<Record<Key, Value>> = {};
  result[key] = read(given, `${path}.${key}`);
  return result;
}
