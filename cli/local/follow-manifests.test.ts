import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { systemClock } from '../../common/platform/clock.ts';
import { MemoryCluster } from '../../operator/cluster/memory/memory-cluster.ts';
import { PRODUCT_RESOURCES } from '../../operator/cluster/memory/product-resources.ts';
import { MODEL_FUNCTIONS } from '../../operator/cluster/resources.ts';
import { followManifests } from './follow-manifests.ts';

let folder: string;
let cluster: MemoryCluster;
let stop: AbortController;
let lines: string[];
let onLine: () => void;
/** Called before each object that is made. */
let onCreate: () => void;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pilotlight-test-'));
  stop = new AbortController();
  lines = [];
  onLine = () => undefined;
  onCreate = () => undefined;
  cluster = new MemoryCluster({
    clock: systemClock,
    random: Math.random,
    resources: PRODUCT_RESOURCES,
    faults: {
      call: ({ verb }) => {
        if (verb === 'create') onCreate();
        return undefined;
      },
    },
  });
});

afterEach(async () => {
  stop.abort();
  await cluster.close();
  rmSync(folder, { recursive: true });
});

const manifest = (name: string, model = 'a', namespace = 'default'): string =>
  `apiVersion: pilotlight.dev/v1alpha1\nkind: ModelFunction\nmetadata: {name: ${name}, namespace: ${namespace}}\n` +
  `spec: {model: {uri: "https://models/${model}"}}\n---\n`;

function save(file: string, ...manifests: readonly string[]): void {
  writeFileSync(join(folder, file), manifests.join(''));
}

function follow(): Promise<void> {
  const report = (line: string): void => {
    lines.push(line);
    onLine();
  };
  return followManifests({ paths: [folder], cluster, clock: systemClock, report, signal: stop.signal });
}

function told(line: string): Promise<void> {
  return new Promise((resolve) => {
    onLine = () => {
      if (lines.some((each) => each.includes(line))) resolve();
    };
    onLine();
  });
}

async function models(): Promise<string[]> {
  const functions = await cluster.list(MODEL_FUNCTIONS);
  return functions.map(({ metadata, spec }) => `${metadata.namespace}/${metadata.name} ${spec.model.uri}`).sort();
}

test('an edit while the first manifests are applied is not missed', async () => {
  save('digits.yaml', manifest('digits'));
  onCreate = () => save('digits.yaml', manifest('digits', 'b'));
  await follow();
  await told('modelfunction/digits configured');
  expect(await models()).toEqual(['default/digits https://models/b']);
});

test('a function that gets another name is another one', async () => {
  save('digits.yaml', manifest('digits'));
  await follow();
  save('digits.yaml', manifest('numbers'));
  await told('modelfunction/digits deleted');
  expect(await models()).toEqual(['default/numbers https://models/a']);
});

test('a wrong edit changes nothing and says so, and the next one counts', async () => {
  save('digits.yaml', manifest('digits'));
  await follow();
  save('digits.yaml', manifest('numbers'), manifest('Wrong'));
  await told('Nothing was changed.');
  expect(await models()).toEqual(['default/digits https://models/a']);
  save('digits.yaml', manifest('digits', 'b'));
  await told('modelfunction/digits configured');
});

test('functions of one name in two namespaces are two, and told apart', async () => {
  save('digits.yaml', manifest('digits'), manifest('digits', 'b', 'other'));
  await follow();
  save('digits.yaml', manifest('digits'));
  await told('modelfunction/digits deleted from other');
  expect(lines).toEqual([
    'modelfunction/digits created',
    'modelfunction/digits created in other',
    'modelfunction/digits deleted from other',
  ]);
  expect(await models()).toEqual(['default/digits https://models/a']);
});

test('what is left out is said once', async () => {
  save('digits.yaml', manifest('digits'), 'apiVersion: v1\nkind: Service\nmetadata: {name: other}\n');
  await follow();
  save('more.yaml', manifest('more'));
  await told('modelfunction/more created');
  expect(lines.filter((line) => line.includes('Service'))).toHaveLength(1);
});
