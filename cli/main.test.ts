import { describe, expect, test } from '@jest/globals';
import { main } from './main.ts';
import { UsageError, port, readArguments, usage, type Command } from './command.ts';

const command: Command = {
  name: 'example',
  summary: 'Does nothing.',
  positionals: 'PATH...',
  options: {
    port: { value: 'PORT', description: 'port to listen on', default: '8080' },
    quiet: { description: 'say less' },
  },
  run: () => Promise.resolve(0),
};

/** Runs the whole command line and keeps what it wrote. */
async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const out: string[] = [];
  const err: string[] = [];
  const code = await main(args, {
    out: (line) => out.push(line),
    err: (line) => err.push(line),
    environment: {},
    interrupted: new AbortController().signal,
  });
  return { code, out: out.join('\n'), err: err.join('\n') };
}

describe('the command line', () => {
  test('help lists every command', async () => {
    const { code, out } = await run('--help');
    expect(code).toBe(0);
    for (const name of ['local', 'invoke', 'serve', 'validate']) expect(out).toContain(`  ${name}`);
  });

  test('a mistyped command gets the nearest one', async () => {
    const { code, err } = await run('validat');
    expect(code).toBe(2);
    expect(err).toContain('There is no command validat; did you mean validate?');
  });

  test.each(['constructor', '__proto__'])('%s is no command', async (name) => {
    expect((await run(name)).code).toBe(2);
  });

  test('a usage error shows the usage of its command', async () => {
    const { code, err } = await run('invoke');
    expect(code).toBe(2);
    expect(err).toContain('Name one function.');
    expect(err).toContain('Usage: pilotlight invoke FUNCTION');
  });

  test('a gateway that is not there is said so', async () => {
    const { code, err } = await run(
      'invoke',
      'digits',
      '--data',
      import.meta.filename,
      '--gateway',
      'http://127.0.0.1:1',
    );
    expect(code).toBe(1);
    expect(err).toContain('The gateway at http://127.0.0.1:1 did not answer');
  });
});

describe('arguments', () => {
  test('options take their defaults', () => {
    expect(readArguments(command, ['a', 'b'])).toEqual({
      positionals: ['a', 'b'],
      options: { port: '8080', quiet: undefined },
    });
  });

  test('options are read in both forms, and after -- nothing is an option', () => {
    expect(readArguments(command, ['--port=1', '--quiet', '--', '--port'])).toEqual({
      positionals: ['--port'],
      options: { port: '1', quiet: 'true' },
    });
  });

  test('an unknown option names the nearest one', () => {
    expect(() => readArguments(command, ['--prot', '1'])).toThrow(
      new UsageError('There is no option --prot; did you mean --port?'),
    );
  });

  test('an option without its value is a usage error', () => {
    expect(() => readArguments(command, ['--port'])).toThrow(UsageError);
  });

  test.each(['x', '-1', '65536', '1.5', undefined])('%s is no port', (value) => {
    expect(() => port('port', value)).toThrow(/must be a port from 0 to 65535/);
  });

  test('usage shows values and defaults', () => {
    expect(usage(command)).toContain('--port PORT             port to listen on (default 8080)');
  });
});
