/** The `pilotlight` command: finds the subcommand and runs it. */
import { UsageError, readArguments, usage, type Command, type Terminal } from './command.ts';
import { nearest } from '../common/text/nearest.ts';

/** Commands by name; a module is loaded only when its command runs, because some of them pull in the whole operator. */
const COMMANDS: Readonly<Record<string, { readonly summary: string; readonly load: () => Promise<Command> }>> = {
  local: {
    summary: 'Run manifests on this machine, scaling from zero as on Kubernetes',
    load: async () => (await import('./local/local.ts')).local,
  },
  invoke: {
    summary: 'Send an inference request to a function',
    load: async () => (await import('./invoke/invoke.ts')).invoke,
  },
  'client-types': {
    summary: 'Print a model’s inputs and outputs as a TypeScript type',
    load: async () => (await import('./client-types/client-types.ts')).clientTypes,
  },
  serve: {
    summary: 'Serve one ONNX file, without scaling',
    load: async () => (await import('./serve/serve.ts')).serve,
  },
  validate: {
    summary: 'Check manifests against the API, with line numbers',
    load: async () => (await import('./validate/validate.ts')).validate,
  },
  simulate: {
    summary: 'Walk a trace of requests through the autoscaler, and draw what it does',
    load: async () => (await import('./simulate/simulate.ts')).simulate,
  },
};

const HELP = [
  'Usage: pilotlight COMMAND [options]',
  '',
  'Serverless ONNX inference on your own Kubernetes.',
  '',
  ...Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(14)}${summary}`),
  '',
  '`pilotlight COMMAND --help` says more.',
].join('\n');

/** Runs the command line and gives the exit code: 0 done, 1 the command failed, 2 it could not be understood. */
export async function main(args: readonly string[], terminal: Terminal): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    terminal.out(HELP);
    return name === undefined ? 2 : 0;
  }
  const entry = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (entry === undefined) {
    const near = nearest(name, Object.keys(COMMANDS));
    terminal.err(`There is no command ${name}${near === undefined ? '.' : `; did you mean ${near}?`}\n\n${HELP}`);
    return 2;
  }
  const command = await entry.load();
  if (rest.includes('--help') || rest.includes('-h')) {
    terminal.out(usage(command));
    return 0;
  }
  try {
    const { positionals, options } = readArguments(command, rest);
    return await command.run(positionals, options, terminal);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    terminal.err(error instanceof UsageError ? `${message}\n\n${usage(command)}` : message);
    return error instanceof UsageError ? 2 : 1;
  }
}

if (import.meta.main) {
  const interruption = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      interruption.abort();
    });
  }
  process.exitCode = await main(process.argv.slice(2), {
    out: (line) => process.stdout.write(`${line}\n`),
    err: (line) => process.stderr.write(`${line}\n`),
    environment: process.env,
    interrupted: interruption.signal,
  });
}
