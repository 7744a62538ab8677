/** ESM tests of TypeScript files; run them with `make test`, which adds the Node flag that jest's ESM needs. */
export default {
  testEnvironment: './scripts/jest/environment.js',
  transform: { '\\.ts$': './scripts/jest/strip-types.js' },
  extensionsToTreatAsEsm: ['.ts'],
  testMatch: ['**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/', '/dist/', '/e2e/', '\\.conformance\\.test\\.ts$'],
  modulePathIgnorePatterns: ['/dist/'],
  reporters: ['default'],
};
