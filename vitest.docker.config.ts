import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';

// Apart from `npm test`, which needs no Docker: `npm run test:docker` builds the image, starts the whole
// stack and removes it again. All files share the stack: first it is weighed while nobody has asked it for
// anything, then looked at from several sides at once, then used, and at last restarted and killed.
export default defineConfig({
  test: {
    teardownTimeout: 120_000,
    globalSetup: ['test/docker/setup.ts'],
    projects: [
      inTurn(1, ['memory']),
      inTurn(2, ['routes', 'tls-modes', 'policy', 'image']),
      inTurn(3, ['first-rouble']),
      inTurn(4, ['under-load']),
    ],
  },
});

function inTurn(groupOrder: number, names: readonly string[]): TestProjectInlineConfiguration {
  return {
    test: {
      name: names.join(', '),
      include: names.map((name) => `test/docker/${name}.test.ts`),
      sequence: { groupOrder },
      pool: 'forks',
      maxWorkers: names.length,
      testTimeout: 120_000,
      hookTimeout: 300_000,
      // The certificate of the stack is signed by itself.
      env: { NODE_TLS_REJECT_UNAUTHORIZED: '0', NODE_NO_WARNINGS: '1' },
    },
  };
}
