/**
 * Parameters of requests, inputs and outputs: names with strings, numbers or booleans. Those that the protocol's extensions define are checked; others are
 * the client's own, and nothing here reads them.
 */
import { LOWEST_PRIORITY } from '../inference.ts';
import { longInteger } from '../../common/text/long-integers.ts';
import { integer, object } from './fields.ts';
import { describe, ProtocolError, quote } from './protocol-error.ts';

export type Parameters = Readonly<Record<string, unknown>>;

/** The value of a `parameters` field, empty if it is absent. Throws ProtocolError for a value of any other kind; `what` begins its sentence. */
export function parseParameters(what: string, value: unknown): Parameters {
  if (value === undefined) return {};
  const parameters = object(what, value);
  for (const name in parameters) {
    const given = parameters[name];
    const isScalar = typeof given === 'string' || typeof given === 'number' || typeof given === 'boolean';
    if (isScalar || longInteger(given) !== undefined) continue;
    throw new ProtocolError(
      `${what}.${quote(name)} must be a string, a number or a boolean but is ${describe(given)}.`,
    );
  }
  return parameters;
}

/** When a request wants to run: Triton's extension `schedule_policy`. */
export interface Schedule {
  /** 1 is the highest; 0 the default. */
  readonly priority: number;
  /** Microseconds that it may wait for its run; 0 is any time. */
  readonly timeout: number;
}

/** A priority beyond the lowest is the default, as Triton has it. */
export function parseSchedule(parameters: Parameters): Schedule {
  const { priority = 0, timeout = 0, sequence_id: sequence = 0 } = parameters;
  if (sequence !== 0 && sequence !== '') {
    throw new ProtocolError(
      'parameters.sequence_id: sequences are not served, for no model here keeps a state between requests. Send the state as an input.',
    );
  }
  const wanted = integer('parameters.priority', priority, Number.MAX_SAFE_INTEGER);
  return {
    priority: wanted > LOWEST_PRIORITY ? 0 : wanted,
    timeout: integer('parameters.timeout', timeout, Number.MAX_SAFE_INTEGER),
  };
}
