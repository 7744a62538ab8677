import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { main } from '../main.ts';

const EXAMPLES = join(import.meta.dirname, '../../examples/traces');
const [BURST, FUNCTION] = [join(EXAMPLES, 'burst.csv'), join(EXAMPLES, 'function.yaml')] as const;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pilotlight-simulate-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function simulate(...args: string[]): Promise<{ code: number; out: string; err: string; svg: string }> {
  const out: string[] = [];
  const err: string[] = [];
  const file = join(folder, 'out.svg');
  const code = await main(['simulate', ...args, '--svg', file], {
    out: (line) => out.push(line),
    err: (line) => err.push(line),
    environment: {},
    interrupted: new AbortController().signal,
  });
  return { code, out: out.join('\n'), err: err.join('\n'), svg: code === 0 ? readFileSync(file, 'utf8') : '' };
}

test('prints what became of the requests, and draws it', async () => {
  const { code, out, svg } = await simulate(BURST, FUNCTION, '--start-seconds', '20', '--service-milliseconds', '1000');
  expect(code).toBe(0);
  expect(out).toMatch(/^requests +100$/m);
  expect(out).toMatch(/^answered +100$/m);
  expect(out).toMatch(/^pods started +2$/m);
  expect(out).toMatch(/^GPU-seconds +\d+$/m);
  expect(out).toMatch(/^ +4\.0 s +2 {2}Panic, ClearsInTime$/m);
  for (const title of ['Replicas (pods)', 'Requests (at once)', 'Cost since the begin (GPU-seconds)'])
    expect(svg).toContain(title);
});

test.each([
  { given: [BURST], says: 'Name one trace and one manifest.', code: 2 },
  { given: [BURST, FUNCTION], says: 'column serviceMilliseconds: is missing', code: 1 },
  {
    given: [BURST, FUNCTION, '--start-seconds', 'soon'],
    says: '--start-seconds must be a number from 0 to 86400, not "soon".',
    code: 2,
  },
  {
    given: [BURST, FUNCTION, '--function', 'other', '--service-milliseconds', '1'],
    says: 'holds no ModelFunction other; it has classifier',
    code: 1,
  },
  {
    given: [BURST, FUNCTION, '--service-milliseconds', '1', '--budgets', 'gpu=4'],
    says: '--budgets has "gpu=4" but must be limits as nvidia.com/gpu=8',
    code: 2,
  },
  { given: ['nothing.csv', FUNCTION, '--service-milliseconds', '1'], says: 'nothing.csv', code: 1 },
  { given: ['/dev/zero', FUNCTION, '--service-milliseconds', '1'], says: '/dev/zero: is no file', code: 1 },
])('$says', async ({ given, says, code }) => {
  const result = await simulate(...given);
  expect(result.err).toContain(says);
  expect(result.code).toBe(code);
});

test('several functions share a budget: says of each what became of it, and of the budget how much was held', async () => {
  const [trace, manifest] = [join(EXAMPLES, 'shared.csv'), join(EXAMPLES, 'shared.yaml')];
  const { code, out, svg } = await simulate(trace, manifest, '--budgets', 'nvidia.com/gpu=4', '--start-seconds', '20');
  expect(code).toBe(0);
  expect(out).toMatch(/^chat:\nrequests +\d+$/m);
  expect(out).toMatch(/^nightly:\nrequests +\d+$/m);
  expect(out).toMatch(/^short of pods by a budget +\d+ s$/m);
  expect(out).toMatch(/^nvidia.com\/gpu of the cluster: at most 4 of 4 held, \d\.\d\d on average$/m);
  for (const title of ['chat: Replicas (pods)', 'nightly: Requests (at once)', 'nvidia.com/gpu of the cluster (units)'])
    expect(svg).toContain(title);
  const { out: one } = await simulate(trace, manifest, '--function', 'chat');
  expect(one).not.toMatch(/chat:|nightly|budget/);
});

test.each([
  { budgets: 'nvidia.com/gpu=4', bounds: true },
  { budgets: 'amd.com/gpu=4', bounds: false },
  { budgets: 'research:nvidia.com/gpu=4', bounds: false },
])('a budget that bounds none of the functions is said to: $budgets', async ({ budgets, bounds }) => {
  const { code, err } = await simulate(BURST, FUNCTION, '--service-milliseconds', '1', '--budgets', budgets);
  expect(code).toBe(0);
  expect(err.includes('bounds nothing: no function there has')).toBe(!bounds);
});

test('a wrong manifest is refused in the words of "validate"; whose the requests are must be said', async () => {
  const file = join(folder, 'function.yaml');
  const text = readFileSync(FUNCTION, 'utf8');
  writeFileSync(file, text.replace('target: 4', 'target: 0'));
  expect((await simulate(BURST, file, '--service-milliseconds', '1')).err).toContain(
    `${file}:12: spec.scaling.target: `,
  );
  writeFileSync(file, `${text}---\n${text.replace('classifier', 'other')}`);
  expect((await simulate(BURST, file, '--service-milliseconds', '1')).err).toContain(
    'column function: is missing; each request is of one of classifier, other',
  );
  expect((await simulate(BURST, file, '--service-milliseconds', '1', '--function', 'other')).code).toBe(0);
});
