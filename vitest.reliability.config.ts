import { defineConfig } from 'vitest/config';

// Apart from `npm test`, which is to stay short: `npm run test:reliability`. Each starts Kopeck in earnest.
export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 3,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    teardownTimeout: 30_000,
    include: ['test/reliability/**/*.test.ts'],
    globalSetup: ['packages/testing/src/global-setup.ts'],
  },
});
