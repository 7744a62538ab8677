/**
 * Takes Node's own modules into a bundle by require() instead of import, because a bundle in ESM would pay for all of each: an import of 'node:http'
 * reads every export, and one of them, WebSocket, loads a second HTTP client (45 ms of CPU in every process that only wants createServer).
 */
import { isBuiltin } from 'node:module';
import type { Plugin } from 'esbuild';

/**
 * Modules that packages load and a plain HTTP server never uses: prom-client asks for cluster and for the TLS of a push client. Loaded at
 * first use, they cost nothing where that never comes (25 ms of CPU at the start of a runtime). Not assert: undici calls it dozens of times a request,
 * and by way of a proxy a gateway took 2.0 times the CPU of a bare proxy instead of 1.4.
 */
const SELDOM_USED = /^(?:node:)?(?:https|http2|tls|cluster|zlib)$/;

export const nodeBuiltins: Plugin = {
  name: 'node-builtins',
  setup(build) {
    build.onResolve({ filter: /^[a-z0-9_:/]+$/ }, ({ path, kind, importer, namespace }) => {
      if (!isBuiltin(path)) return undefined;
      // What is imported late is imported as it is: as a module of ours it would have a default export alone.
      if (namespace !== 'file' || kind === 'dynamic-import') return { path, external: true };
      const lazy = kind === 'require-call' && SELDOM_USED.test(path) && importer.includes('node_modules');
      return { path, namespace: lazy ? 'lazy-builtin' : 'builtin' };
    });
    build.onLoad({ filter: /./, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = require('${path}');`,
    }));
    build.onLoad({ filter: /./, namespace: 'lazy-builtin' }, ({ path }) => ({
      contents: `let loaded;
      module.exports = new Proxy({}, { get: (_target, key) => (loaded ??= require('${path}'))[key] });`,
    }));
  },
};
