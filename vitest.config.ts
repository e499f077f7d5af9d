import { configDefaults, defineConfig } from 'vitest/config';

const TIDY = 'test/tidy*.test.ts';

export default defineConfig({
  test: {
    // Three processes on two cores: much of a test is waiting. They stay for the whole run, since to
    // start one and to import everything anew for each file was a third of the processors' time.
    pool: 'forks',
    isolate: false,
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
