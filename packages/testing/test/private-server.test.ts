import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { freePort } from '@kopeck/testing/ports';
import { startMariadb } from '@kopeck/testing/private-mariadb';
import { startRedis } from '@kopeck/testing/private-redis';

const OWNER = `
  import { startMariadb } from '@kopeck/testing/private-mariadb';
  import { startRedis } from '@kopeck/testing/private-redis';
  const [dir, redisPort, mariadbPort] = process.argv.slice(1);
  await startRedis({ dir, password: 'pw', port: Number(redisPort) });
  await startMariadb({ dir, port: Number(mariadbPort) });
  process.stdout.write('ready');
`;

test('ends with its owner, however that one ends, and leaves its data fit for the next', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'kopeck-owner-'));
  const [redisPort, mariadbPort] = [await freePort(), await freePort()];
  const owner = spawn(
    process.execPath,
    ['--input-type=module', '-e', OWNER, dir, String(redisPort), String(mariadbPort)],
    { cwd: import.meta.dirname, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  await once(owner.stdout, 'data');
  owner.kill('SIGKILL');
  await once(owner, 'exit');

  // On the same ports and folders, at once: both fail if the first ones are still there.
  const redis = await startRedis({ dir, password: 'pw', port: redisPort });
  const mariadb = await startMariadb({ dir, port: mariadbPort });
  const client = new Redis(redis.url);
  expect(await client.ping()).toBe('PONG');
  client.disconnect();
  await mariadb.stop();
  await redis.stop();
  await rm(dir, { recursive: true });
});
