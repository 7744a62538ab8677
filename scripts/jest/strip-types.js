import { stripTypeScriptTypes } from 'node:module';

/** Removes the types exactly as Node itself does when it runs a .ts file, so tests run the same code as production. */
export default {
  process: (source) => ({ code: stripTypeScriptTypes(source) }),
};
