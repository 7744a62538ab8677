import { afterEach, expect, test } from '@jest/globals';
import { closeTestRuntimes, testRuntime } from '../../runtime/runtime.fixture.ts';
import { main } from '../main.ts';

afterEach(closeTestRuntimes);

async function run(...args: string[]): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const out: string[] = [];
  const err: string[] = [];
  const code = await main(['client-types', ...args], {
    out: (line) => out.push(line),
    err: (line) => err.push(line),
    environment: {},
    interrupted: new AbortController().signal,
  });
  return { code, out: out.join('\n'), err: err.join('\n') };
}

test('prints what a running server says of its model', async () => {
  const { runtime } = await testRuntime();
  const { code, out } = await run(`http://127.0.0.1:${runtime.ports.http}`, 'digits');
  expect(code).toBe(0);
  expect(out).toContain("export type Digits = {\n  inputs: {\n    x: { datatype: 'FP32'; shape: [number, 2] };\n  };");
});

test('says what the server said', async () => {
  const { runtime } = await testRuntime();
  const { code, err } = await run(`http://127.0.0.1:${runtime.ports.http}`, 'digit');
  expect([code, err]).toEqual([1, 'There is no model "digit" here; "digits" is served.']);
});

test.each([[['http://a']], [['nonsense', 'digits']]])('%j is not understood', async (args) => {
  expect((await run(...args)).code).toBe(2);
});
