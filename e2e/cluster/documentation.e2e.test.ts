/**
 * Runs the commands for a cluster, of the README and the pages about installing, as they are written, and compares what they print. The release is there
 * already, so that `make` is left out; blocks marked as console (kind, a registry, GPUs, taking everything away) are not run.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { steps } from '../../docs/markdown.ts';
import { ShellSession } from '../../docs/shell-session.ts';
import { MODEL_FUNCTIONS } from '../../operator/cluster/resources.ts';
import { kubectl } from './support/kubectl.ts';
import { getObject } from './support/objects.ts';

jest.setTimeout(240_000);

const ROOT = join(import.meta.dirname, '../..');
const PAGES = ['README.md', 'docs/how-to/install.md', 'docs/how-to/upgrade.md'];
const DIGITS = { namespace: 'default', name: 'digits' };

let session: ShellSession;
beforeEach(async () => {
  // The pages use this name, as a reader would; somebody else's would be lost.
  expect(await getObject(MODEL_FUNCTIONS, DIGITS)).toBeUndefined();
  session = await ShellSession.start();
});
afterEach(async () => {
  await session.close();
  await kubectl(['delete', 'modelfunction', DIGITS.name, '-n', DIGITS.namespace, '--ignore-not-found']);
});

test.each(PAGES)('the commands of %s do what it says', async (page) => {
  const all = steps(readFileSync(join(ROOT, page), 'utf8')).filter(({ needsCluster }) => needsCluster);
  expect(all).not.toEqual([]);
  for (const { commands, expected } of all) {
    session.forget();
    await session.run(commands);
    for (const text of expected) await session.expectText(text);
  }
});
