/** Makes one ES module for Node of a program and all that it imports, so that it can be handed to a pod as text. */
import { build } from 'esbuild';
import { nodeBuiltins } from '../../../scripts/node-builtins.ts';

export async function bundle(input: Parameters<typeof build>[0]): Promise<string> {
  const { outputFiles } = await build({
    ...input,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    write: false,
    banner: {
      js: `import { createRequire as createBundleRequire } from 'node:module'; const require = createBundleRequire('/');`,
    },
    plugins: [nodeBuiltins],
    logLevel: 'warning',
  });
  return outputFiles[0]?.text ?? '';
}
