import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { compareOutputs, type JsonAnswer } from '../../examples/compare-outputs.ts';
import { DIGITS } from '../local/examples.ts';
import { kubectl } from './support/kubectl.ts';
import { startSuite, type Suite } from './support/suite.ts';

jest.setTimeout(60_000);

const EXAMPLE = join(import.meta.dirname, '..', '..', 'examples', 'cluster', 'digits.yaml');

let suite: Suite;
beforeAll(async () => {
  suite = await startSuite('kubectl');
});
afterAll(() => suite.close());

test('the example is applied, waited for and called as its users do it', async () => {
  expect(await suite.kubectl('apply', '-f', EXAMPLE)).toBe('modelfunction.pilotlight.dev/digits created\n');
  expect(await suite.kubectl('wait', '--for=condition=Ready', 'mf/digits', '--timeout=60s')).toBe(
    'modelfunction.pilotlight.dev/digits condition met\n',
  );
  const answer = await suite.infer('digits', DIGITS.request);
  expect(compareOutputs(answer.json as unknown as JsonAnswer, DIGITS.expected)).toEqual([]);
});

test('applying it once more changes nothing', async () => {
  expect(await suite.kubectl('apply', '-f', EXAMPLE)).toBe('modelfunction.pilotlight.dev/digits unchanged\n');
});

/** Columns of a table by their heads, of its first row. */
function firstRow(table: string): Record<string, string> {
  const [head = '', row = ''] = table.split('\n');
  const starts = [...head.matchAll(/\S+(?: \S+)*/g)];
  return Object.fromEntries(
    starts.map((match, at) => [match[0], row.slice(match.index, starts[at + 1]?.index ?? undefined).trim()]),
  );
}

test('"kubectl get" shows where a function is reached, whether it serves and how many pods it has', async () => {
  await suite.untilReplicas('digits', 1);
  const wide = firstRow(await suite.kubectl('get', 'mf', '-o=wide'));
  expect(wide).toEqual({
    NAME: 'digits',
    URL: suite.url('digits', ''),
    'LATEST READY': 'digits-00001',
    READY: 'True',
    REASON: 'Ready',
    REPLICAS: '1',
    AGE: expect.stringMatching(/^\d+s$/),
    DESIRED: '1',
    'LATEST CREATED': 'digits-00001',
    MODEL: 'file:/opt/pilotlight/examples/digits/model.onnx',
  });
  expect(firstRow(await suite.kubectl('get', 'mrev'))).toMatchObject({
    NAME: 'digits-00001',
    FUNCTION: 'digits',
    READY: 'True',
    REPLICAS: '1',
  });
});

test('both kinds are in the category pilotlight', async () => {
  // kubectl keeps for minutes what kinds there are.
  const cache = mkdtempSync(join(tmpdir(), 'pilotlight-kubectl-'));
  const names = await suite.kubectl('get', 'pilotlight', '-o=name', `--cache-dir=${cache}`);
  rmSync(cache, { recursive: true });
  expect(names.trim().split('\n').sort()).toEqual([
    'modelfunction.pilotlight.dev/digits',
    'modelrevision.pilotlight.dev/digits-00001',
  ]);
});

test('"kubectl explain" tells of every field what it is for', async () => {
  const text = await kubectl(['explain', 'modelfunction.spec.scaling', '--recursive']);
  expect(text).toMatch(/minReplicas\s+<integer>/);
  expect(await kubectl(['explain', 'mf.spec.scaling.target'])).toMatch(
    /target is the metric that one pod should carry/,
  );
});

test('"kubectl describe" tells what happened to a function', async () => {
  const text = await suite.kubectl('describe', 'mf', 'digits');
  expect(text).toMatch(/Normal\s+RevisionCreated\s+/);
  expect(text).toMatch(/Normal\s+RevisionReady\s+/);
});
