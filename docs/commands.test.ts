/**
 * Runs the commands of the pages for beginners as they are written, and compares what they print. It needs the built programs in dist/. Commands that
 * need a cluster are run by e2e/cluster/documentation.e2e.test.ts.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { steps } from './markdown.ts';
import { ShellSession } from './shell-session.ts';

const ROOT = join(import.meta.dirname, '..');
const PAGES = [
  'README.md',
  'docs/tutorials/first-model.md',
  'docs/reference/inference-protocol.md',
  'docs/concepts/batching.md',
  'docs/how-to/size-with-a-trace.md',
  'examples/digits/README.md',
  'examples/voice-activity/README.md',
];

test.each(PAGES)(
  'the commands of %s do what it says',
  async (page) => {
    expect(existsSync(join(ROOT, 'dist/pilotlight.js'))).toBe(true);
    const session = await ShellSession.start();
    try {
      for (const { commands, expected } of steps(readFileSync(join(ROOT, page), 'utf8')).filter(
        ({ needsCluster }) => !needsCluster,
      )) {
        session.forget();
        await session.run(commands);
        for (const text of expected) await session.expectText(text);
      }
    } finally {
      await session.close();
    }
  },
  60_000,
);
