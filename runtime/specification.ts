/** What the operator says of the function to serve, one variable of the environment in JSON, as a typed value. Each error names the field. */
import { nearest } from '../common/text/nearest.ts';
import {
  BATCHING_MODES,
  GRAPH_OPTIMIZATION_LEVELS,
  MOST_INSTANCES,
  RUNTIME_ENVIRONMENT,
  SWITCH,
  type RuntimeSpecification,
  type SessionSettings,
} from '../common/wire/runtime-environment.ts';
import { StartError } from './inference.ts';

/** Throws StartError. */
export function parseSpecification(text: string): RuntimeSpecification {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new StartError(
      'ConfigurationInvalid',
      `Environment variable ${RUNTIME_ENVIRONMENT.specification} must be JSON but is "${text.slice(0, 80)}".`,
    );
  }
  const root = new Fields('', value);
  const model = new Fields('model.', root.value('model'));
  const batching = new Fields('batching.', root.value('batching'));
  const sha256 = model.optionalString('sha256');
  const session = root.value('session');
  const mode = batching.oneOf('mode', BATCHING_MODES);
  return {
    namespace: root.string('namespace'),
    function: root.string('function'),
    revision: root.string('revision'),
    model: { uri: model.string('uri'), ...(sha256 !== undefined && { sha256 }) },
    executionProviders: root.strings('executionProviders'),
    instances: root.wholeNumber('instances', 1, MOST_INSTANCES),
    intraOpThreads: root.number('intraOpThreads', 1),
    ...(session !== undefined && { session: parseSession(session) }),
    batching: {
      ...(mode !== undefined && { mode }),
      maxBatchSize: batching.number('maxBatchSize', 1),
      maxDelayMilliseconds: batching.number('maxDelayMilliseconds', 0),
    },
    timeoutSeconds: root.number('timeoutSeconds', 1),
  };
}

const SESSION_SETTINGS: {
  readonly [Name in keyof SessionSettings]-?: (fields: Fields, name: Name) => SessionSettings[Name];
} = {
  graphOptimizationLevel: (fields, name) => fields.oneOf(name, GRAPH_OPTIMIZATION_LEVELS),
  interOpThreads: (fields, name) => fields.integer(name, 1, 64),
  memoryArena: (fields, name) => fields.oneOf(name, SWITCH),
  prepacking: (fields, name) => fields.oneOf(name, SWITCH),
  spinning: (fields, name) => fields.oneOf(name, SWITCH),
  deviceId: (fields, name) => fields.integer(name, 0, 63),
};

/** ONNX Runtime ignores an option that it does not know; here that is an error, as it would otherwise look as if it were in force. */
function parseSession(value: unknown): SessionSettings {
  const fields = new Fields('session.', value);
  const known = Object.keys(SESSION_SETTINGS);
  for (const name of fields.names) {
    if (known.includes(name)) continue;
    const near = nearest(name, known);
    throw new StartError(
      'ConfigurationInvalid',
      `There is no session option "${name}"; ${near === undefined ? `there are ${known.join(', ')}` : `did you mean "${near}"?`}`,
    );
  }
  return Object.fromEntries(
    Object.entries(SESSION_SETTINGS).flatMap(([name, parse]) =>
      fields.names.includes(name) ? [[name, (parse as (fields: Fields, name: string) => unknown)(fields, name)]] : [],
    ),
  );
}

/** Fields of one object of the specification. Others than those asked for are left alone: a newer operator may send more. */
class Fields {
  readonly #path: string;
  readonly #fields: Readonly<Record<string, unknown>>;

  constructor(path: string, value: unknown) {
    if (typeof value !== 'object' || value === null) throw wrongField(path.slice(0, -1), 'an object');
    this.#path = path;
    this.#fields = value as Record<string, unknown>;
  }

  value(name: string): unknown {
    return this.#fields[name];
  }

  string(name: string): string {
    const value = this.#fields[name];
    if (typeof value === 'string' && value !== '') return value;
    throw wrongField(this.#path + name, 'a text');
  }

  optionalString(name: string): string | undefined {
    return this.#fields[name] === undefined ? undefined : this.string(name);
  }

  get names(): readonly string[] {
    return Object.keys(this.#fields);
  }

  /** Undefined if the field is absent, like `integer`. */
  oneOf<Choice extends string>(name: string, choices: readonly Choice[]): Choice | undefined {
    const value = this.#fields[name];
    if (value === undefined) return undefined;
    const choice = choices.find((one) => one === value);
    if (choice !== undefined) return choice;
    const near = typeof value === 'string' ? nearest(value, choices) : undefined;
    throw wrongField(
      this.#path + name,
      `one of ${choices.join(', ')}${near === undefined ? '' : `; did you mean "${near}"?`}`,
    );
  }

  integer(name: string, minimum: number, maximum: number): number | undefined {
    return this.#fields[name] === undefined ? undefined : this.wholeNumber(name, minimum, maximum);
  }

  wholeNumber(name: string, minimum: number, maximum: number): number {
    const value = this.#fields[name];
    if (typeof value === 'number' && Number.isInteger(value) && value >= minimum && value <= maximum) return value;
    throw wrongField(this.#path + name, `a whole number from ${minimum} to ${maximum}`);
  }

  strings(name: string): string[] {
    const value = this.#fields[name];
    if (Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === 'string')) return value;
    throw wrongField(this.#path + name, 'a list of texts');
  }

  number(name: string, minimum: number): number {
    const value = this.#fields[name];
    if (typeof value === 'number' && Number.isFinite(value) && value >= minimum) return value;
    throw wrongField(this.#path + name, `a number of at least ${minimum}`);
  }
}

function wrongField(field: string, expected: string): StartError {
  const where = field === '' ? 'the specification' : field;
  return new StartError(
    'ConfigurationInvalid',
    `Environment variable ${RUNTIME_ENVIRONMENT.specification}: ${where} must be ${expected}${expected.endsWith('?') ? '' : '.'}`,
  );
}
