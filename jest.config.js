/** ESM tests of TypeScript files; run them with `make test`, which adds the Node flag that jest's ESM needs. */
export default {
  testEnvironment: './scripts/jest/environment.js',
  transform: { '\\.ts$': './scripts/jest/strip-types.js' },
  extensionsToTreatAsEsm: ['.ts'],
  testMatch: ['**/*.test.ts'],
  // e2e/local runs on this machine alone; the rest of e2e/ and the conformance tests want a cluster.
  testPathIgnorePatterns: [
    '/node_modules/',
    '/dist/',
    '/e2e/(?!local/|cluster/support/)',
    '\\.conformance\\.test\\.ts$',
  ],
  modulePathIgnorePatterns: ['/dist/'],
  // For a test that hangs. Five seconds, jest's own, end slow ones on a machine whose processors others use as well.
  testTimeout: 30_000,
  reporters: ['default'],
};
