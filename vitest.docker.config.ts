import { defineConfig } from 'vitest/config';

// Apart from `npm test`, which needs no Docker: `npm run test:docker` builds the image, starts the whole
// stack and removes it again. One file after the other, since they share it.
export default defineConfig({
  test: {
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 300_000,
    teardownTimeout: 120_000,
    include: ['test/docker/**/*.test.ts'],
    globalSetup: ['test/docker/setup.ts'],
    // The certificate of the stack is signed by itself.
    env: { NODE_TLS_REJECT_UNAUTHORIZED: '0', NODE_NO_WARNINGS: '1' },
  },
});
