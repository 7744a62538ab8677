/** The order of a start, which only its time would otherwise show. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { relative } from 'node:path/posix';
import { expect, test } from '@jest/globals';
import { RUNTIME_ENVIRONMENT } from '../common/wire/runtime-environment.ts';

/** Loaded in front of the program: in place of the first thread it says which files were read until then, and ends the process. */
const PROBE = `
  import { registerHooks, syncBuiltinESMExports } from 'node:module';
  import threads from 'node:worker_threads';
  const read = [];
  registerHooks({
    load(url, context, next) {
      if (url.startsWith('file:')) read.push(url);
      return next(url, context);
    },
  });
  threads.Worker = class {
    constructor() {
      console.log(JSON.stringify(read));
      process.exit();
    }
  };
  syncBuiltinESMExports();
`;

test("starts the model's threads before it reads the rest of the program", () => {
  const written = execFileSync(
    process.execPath,
    ['--import', `data:text/javascript,${encodeURIComponent(PROBE)}`, join(import.meta.dirname, 'main.ts')],
    { encoding: 'utf8', env: { [RUNTIME_ENVIRONMENT.specification]: JSON.stringify({ instances: 1 }) } },
  );
  const root = fileURLToPath(new URL('..', pathToFileURL(import.meta.filename)));
  const read = (JSON.parse(written) as string[]).map((url) => relative(root, fileURLToPath(url)));
  expect(read.sort()).toEqual([
    'common/wire/runtime-environment.ts',
    'runtime/main.ts',
    'runtime/model/start-thread.ts',
    'runtime/node-error.ts',
  ]);
});
