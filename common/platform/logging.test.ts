import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from '@jest/globals';
import { createLogger, type LogLevel, type Logger } from './logging.ts';

function lines(level: LogLevel, use: (logger: Logger) => void): Record<string, unknown>[] {
  const written: string[] = [];
  use(createLogger('runtime', level, (line) => written.push(line)));
  for (const line of written) expect(line).toMatch(/^[^\n]+\n$/);
  return written.map((line) => JSON.parse(line) as Record<string, unknown>);
}

const one = (fields: object): Record<string, unknown> | undefined =>
  lines('info', (logger) => logger.info(fields, 'Did it'))[0];

describe('a line', () => {
  test('says level, time, process, fields and message, in this order', () => {
    const line = one({ revision: 'digits-00001' });
    expect(Object.keys(line ?? {})).toEqual(['level', 'time', 'process', 'revision', 'msg']);
    expect(line).toMatchObject({ level: 'info', process: 'runtime', revision: 'digits-00001', msg: 'Did it' });
    expect(line?.['time']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });

  test('may have no fields', () => {
    expect(lines('info', (logger) => logger.warn('Only words'))).toMatchObject([{ level: 'warn', msg: 'Only words' }]);
  });

  test('has the fields of its child logger', () => {
    const written = lines('info', (logger) => logger.child({ component: 'gateway' }).info({ a: 1 }, 'Did it'));
    expect(written).toMatchObject([{ process: 'runtime', component: 'gateway', a: 1, msg: 'Did it' }]);
  });

  test('never holds a token, at any depth', () => {
    const token = 'k.c2VjcmV0';
    const line = one({ token, pod: { token, headers: [{ authorization: token }] } });
    expect(JSON.stringify(line)).not.toContain(token);
    expect(line).toMatchObject({ token: '[Redacted]', pod: { token: '[Redacted]' } });
  });

  test('tells of an error its type, message, stack and code, and the same of what caused it', () => {
    const cause = Object.assign(new TypeError('inner'), { code: 'E1' });
    const sum = new AggregateError([cause], 'several');
    const err = { type: 'Error', message: 'outer', cause: { type: 'TypeError', message: 'inner', code: 'E1' } };
    expect(one({ err: new Error('outer', { cause }) })).toMatchObject({ err });
    expect(one({ err: new Error('outer', { cause }) })?.['err']).toHaveProperty('stack');
    expect(one({ err: sum })).toMatchObject({ err: { message: 'several', errors: [{ message: 'inner' }] } });
  });

  test('stays one line, whatever is in it', () => {
    expect(one({ text: 'a\nb\u2028\0', count: 2n ** 63n })).toMatchObject({
      text: 'a\nb\u2028\0',
      count: '9223372036854775808',
    });
  });

  test.each<[string, () => object]>([
    [
      'go in a circle',
      () =>
        Object.assign(
          {},
          { self: {} },
          {
            get again() {
              return this;
            },
          },
        ),
    ],
    [
      'throw',
      () => ({
        get broken() {
          throw new Error('no');
        },
      }),
    ],
  ])('is written without its fields where these %s', (_what, make) => {
    expect(lines('info', (logger) => logger.info({ fields: make() }, 'Did it'))).toMatchObject([
      { level: 'info', msg: 'Did it', unwritable: expect.stringMatching(/Error/) },
    ]);
  });
});

test.each<[LogLevel, string[]]>([
  ['trace', ['trace', 'debug', 'info', 'warn', 'error', 'fatal']],
  ['info', ['info', 'warn', 'error', 'fatal']],
  ['error', ['error', 'fatal']],
  ['silent', []],
])('at the level %s', (level, expected) => {
  const severities = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;
  const written = lines(level, (logger) => severities.forEach((severity) => logger[severity]('Did it')));
  expect(written.map((line) => line['level'])).toEqual(expected);
});

describe('on stderr', () => {
  const program = (body: string): ReturnType<typeof spawn> =>
    spawn(
      process.execPath,
      ['--input-type=module', '--eval', `import { createLogger } from '${import.meta.dirname}/logging.ts'; ${body}`],
      {
        stdio: ['pipe', 'ignore', 'pipe'],
      },
    );

  test('the last line before an end is whole, however long', async () => {
    const child = program(
      `createLogger('x').fatal({ long: 'y'.repeat(1_000_000) }, 'Ended'); process.kill(process.pid, 'SIGKILL');`,
    );
    const written = child.stderr === null ? '' : await text(child.stderr);
    expect(JSON.parse(written)).toMatchObject({ msg: 'Ended', long: expect.stringMatching(/^y{1000000}$/) });
  });

  test('a reader that is gone ends nothing', async () => {
    const child = program(
      `for await (const _ of process.stdin); createLogger('x').info('Nobody reads'); process.exitCode = 7;`,
    );
    child.stderr?.destroy();
    if (child.stderr?.closed === false) await once(child.stderr, 'close');
    child.stdin?.end();
    expect(await once(child, 'exit')).toEqual([7, null]);
  });
});
