/** Values of parsed JSON, each checked to be what its place needs. They throw ProtocolError; `what` begins its sentence. */
import { describe, ProtocolError } from './protocol-error.ts';

export function object(what: string, value: unknown): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new ProtocolError(`${what} must be an object but is ${describe(value)}.`);
}

export function array(what: string, value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  throw new ProtocolError(`${what} must be an array but is ${describe(value)}.`);
}

export function boolean(what: string, value: unknown, otherwise: boolean): boolean {
  if (value === undefined) return otherwise;
  if (typeof value === 'boolean') return value;
  throw new ProtocolError(`${what} must be true or false but is ${describe(value)}.`);
}

export function nonEmptyString(what: string, value: unknown): string {
  if (typeof value === 'string' && value !== '') return value;
  throw new ProtocolError(`${what} must be a name but is ${describe(value)}.`);
}

export function integer(what: string, value: unknown, maximum: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= maximum) return value;
  throw new ProtocolError(`${what} must be an integer from 0 to ${maximum} but is ${describe(value)}.`);
}
