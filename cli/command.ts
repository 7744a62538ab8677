/** What a subcommand is, and how its arguments are read. */
import { parseArgs, type ParseArgsOptionsConfig } from 'node:util';
import { nearest } from '../common/text/nearest.ts';

/** Where a command writes and reads; tests give their own. */
export interface Terminal {
  out(line: string): void;
  err(line: string): void;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Aborts when the user ends the command. */
  readonly interrupted: AbortSignal;
}

export interface Option {
  /** The value's name in the usage text; absent for a switch. */
  readonly value?: string;
  readonly description: string;
  readonly default?: string;
}

export interface Command {
  readonly name: string;
  /** What it does, in a line. */
  readonly summary: string;
  /** Positional arguments as the usage line shows them: `PATH...`. */
  readonly positionals: string;
  readonly options: Readonly<Record<string, Option>>;
  /** Gives the exit code. */
  run(positionals: readonly string[], options: OptionValues, terminal: Terminal): Promise<number>;
}

export type OptionValues = Readonly<Record<string, string | undefined>>;

/** The arguments cannot be understood; shown with the usage line, exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Splits a command's arguments; throws UsageError for an option that it does not have, with the nearest one that it has. */
export function readArguments(
  command: Command,
  args: readonly string[],
): { readonly positionals: readonly string[]; readonly options: OptionValues } {
  const config: ParseArgsOptionsConfig = {};
  for (const [name, option] of Object.entries(command.options)) {
    config[name] = { type: option.value === undefined ? 'boolean' : 'string' };
  }
  for (const arg of args.slice(0, args.includes('--') ? args.indexOf('--') : undefined)) {
    const name = /^--([^=]+)/.exec(arg)?.[1];
    if (name === undefined || name in config) continue;
    const near = nearest(name, Object.keys(config));
    throw new UsageError(`There is no option --${name}${near === undefined ? '.' : `; did you mean --${near}?`}`);
  }
  try {
    const { values, positionals } = parseArgs({ args: [...args], options: config, allowPositionals: true });
    const options: Record<string, string | undefined> = {};
    for (const [name, option] of Object.entries(command.options)) {
      const value = values[name];
      options[name] = typeof value === 'string' ? value : value === true ? 'true' : option.default;
    }
    return { positionals, options };
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** The option's value as a port number. */
export function port(name: string, value: string | undefined): number {
  const number = Number(value);
  if (Number.isInteger(number) && number >= 0 && number <= 65535) return number;
  throw new UsageError(`--${name} must be a port from 0 to 65535 (0 takes a free one), not ${JSON.stringify(value)}.`);
}

/** The usage text of one command. */
export function usage(command: Command): string {
  const options = Object.entries(command.options).map(([name, { value, description, default: fallback }]) => ({
    left: value === undefined ? `--${name}` : `--${name} ${value}`,
    right: fallback === undefined ? description : `${description} (default ${fallback})`,
  }));
  const width = Math.max(22, ...options.map(({ left }) => left.length));
  const entries = options.map(({ left, right }) => `  ${left.padEnd(width)}  ${right}`);
  return [
    `Usage: pilotlight ${command.name} ${command.positionals} [options]`,
    '',
    command.summary,
    '',
    ...entries,
  ].join('\n');
}
