import { defineConfig } from 'vitest/config';

// Apart from `npm test`, which needs no browser: `npm run test:browser` needs the system's Chromium.
export default defineConfig({
  test: {
    pool: 'forks',
    testTimeout: 60_000,
    hookTimeout: 60_000,
    include: ['services/**/test/**/*.browser.ts'],
    globalSetup: ['packages/testing/src/global-setup.ts'],
  },
});
