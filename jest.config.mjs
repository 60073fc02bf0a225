/** Jest under Node's ESM: swc strips types, nothing is mocked, the closing line comes from the real counts. */
export default {
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  testPathIgnorePatterns: process.env.ADORABLE_TEST_BROWSER ? [] : ['<rootDir>/test/browser/'],
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': ['@swc/jest', { jsc: { target: 'es2023', parser: { syntax: 'typescript' } }, module: { type: 'es6' } }],
  },
  modulePathIgnorePatterns: ['<rootDir>/blueprints/', '<rootDir>/local/engines/directus'],
  testTimeout: 120_000,
  // An open handle is a leak of the code under test: jest says so instead of being forced to exit.
  forceExit: false,
  maxWorkers: 2,
};
