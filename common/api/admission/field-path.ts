/** Paths of fields as an API server writes them: `spec.traffic[0].percent`. */
import { isRecord } from './record.ts';

export function fieldOf(parent: string, name: string): string {
  return parent === '' ? name : `${parent}.${name}`;
}

export function itemOf(parent: string, index: number): string {
  return `${parent}[${index}]`;
}

/** A map's entry, as rules name it: `spec.resources.limits[cpu]`. */
export function entryOf(parent: string, key: string): string {
  return `${parent}[${key}]`;
}

/** Turns a JSON pointer into the object into such a path; only the object tells whether a number is an index or a key. */
export function fieldAt(object: unknown, pointer: string): string {
  let path = '';
  let value: unknown = object;
  for (const token of pointer.split('/').slice(1)) {
    const key = token.replaceAll('~1', '/').replaceAll('~0', '~');
    path = Array.isArray(value) ? itemOf(path, Number(key)) : fieldOf(path, key);
    value = isRecord(value) || Array.isArray(value) ? Reflect.get(value, key) : undefined;
  }
  return path;
}
