import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { createMariadbTemplate, startMariadb } from './private-mariadb.ts';
import { startRedis } from './private-redis.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** mysql://root:…@127.0.0.1:port/ of the run's MariaDB, for createTestDatabase. */
    mariadbRootUrl: string;
    /** The run's Redis, for createTestRedis. */
    redisUrl: string;
    /** For startMariadb({ template }), in tests that stop or kill a MariaDB of their own. */
    mariadbTemplate: string;
  }
}

const OLDEST_NODE = 24;

/** One MariaDB and one Redis for the whole run, gone without a trace after it. */
export async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  requireNode();
  const dir = await mkdtemp(join(tmpdir(), 'kopeck-test-'));
  const removeDir = (): Promise<void> => rm(dir, { recursive: true, force: true });
  try {
    const template = join(dir, 'mariadb-template');
    const redis = await startRedis({
      dir: join(dir, 'redis'),
      password: randomBytes(16).toString('hex'),
    });
    await createMariadbTemplate(template);
    // What nobody kills need not reach the disk: a third of the time that the migrations of a file take.
    const mariadb = await startMariadb({
      dir: join(dir, 'mariadb'),
      template,
      extraArgs: ['--debug-no-sync'],
    });

    provide('mariadbRootUrl', mariadb.rootUrl);
    provide('redisUrl', redis.url);
    provide('mariadbTemplate', template);
    return async () => {
      await Promise.all([mariadb.stop(), redis.stop()]);
      await removeDir();
    };
  } catch (error) {
    await removeDir();
    throw error;
  }
}

/** `node_modules/.bin/vitest` on its own runs on the machine's Node, which may be an older one. */
function requireNode(): void {
  if (Number.parseInt(process.versions.node, 10) >= OLDEST_NODE) return;
  throw new Error(
    `The tests need Node ${OLDEST_NODE}, and this is ${process.version}. ` +
      'Run them with `npm test`; `npm test -- services/sbp` runs a part of them.',
  );
}
