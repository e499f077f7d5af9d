import { configDefaults, defineConfig } from 'vitest/config';

const TIDY = 'test/tidy*.test.ts';

export default defineConfig({
  test: {
    // Two processes: each may start databases and services of its own, on machines with two cores.
    pool: 'forks',
    maxWorkers: 3,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    teardownTimeout: 30_000,
    projects: [
      // Apart, so that `npm run check` needs no database.
      { extends: true, test: { name: 'tidy', include: [TIDY] } },
      {
        extends: true,
        test: {
          name: 'suite',
          include: [
            'packages/**/test/**/*.test.ts',
            'services/**/test/**/*.test.ts',
            'cli/**/test/**/*.test.ts',
            'test/**/*.test.ts',
          ],
          exclude: [...configDefaults.exclude, TIDY, 'test/docker/**', 'test/reliability/**'],
          globalSetup: ['packages/testing/src/global-setup.ts'],
        },
      },
    ],
  },
});
