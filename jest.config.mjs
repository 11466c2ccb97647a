import { availableParallelism } from 'node:os';

/** @type {import('jest').Config} */
export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/apps', '<rootDir>/libs', '<rootDir>/test'],
  testMatch: ['**/*.spec.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '<rootDir>/scripts/jest-transform.mjs',
      {
        jsc: {
          target: 'es2022',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
        },
        module: { type: 'es6' },
      },
    ],
  },
  moduleNameMapper: {
    '^#(domain|pipeline|contracts|kafka|embedded-log|state-store|data-folder|clickhouse|transport|runtime|service|platform|testing)$':
      '<rootDir>/libs/$1/index.ts',
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  testTimeout: 30_000,
  // Many suites wait for engines, brokers and processes: with a worker a core, a third of two cores was idle.
  maxWorkers: Math.min(availableParallelism(), 4) + 1,
  // Modules of a `vm` context are never freed: after sixty suites a worker would hold 4 GB, and each collection of its
  // garbage go through them.
  workerIdleMemoryLimit: '768MB',
  reporters: ['default', '<rootDir>/scripts/skip-reporter.mjs'],
};
