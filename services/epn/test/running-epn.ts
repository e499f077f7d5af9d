import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import type { KopeckEvent } from '@kopeck/core/event';
import { loadConfig } from '@kopeck/runtime/config';
import type { Log } from '@kopeck/runtime/log';
import { createTestRedis } from '@kopeck/testing/test-database';
import { epnServiceConfig } from '../src/config.ts';
import { startEpn } from '../src/start-epn.ts';
import { OLD_TOKEN, TOKEN } from './postbacks.ts';

export interface RunningEpn {
  readonly url: string;
  readonly metricsUrl: string;
  readonly webhook: string;
  readonly journalDir: string;
  readonly redis: Redis;
  readonly prefix: string;
  /** What was handed to the log, before any redaction. */
  readonly lines: readonly string[];
  /** What has reached the queue. */
  readonly queued: () => Promise<readonly KopeckEvent[]>;
  /** What it was configured with, for another process to take its place. */
  readonly env: Readonly<Record<string, string>>;
  readonly stop: () => Promise<void>;
  /** On the same journal; resolves to the new URL. */
  readonly startAgain: () => Promise<string>;
  readonly close: () => Promise<void>;
}

/** The real service on free ports, with a journal of its own, before a real Redis. */
export async function runEpn(
  redisUrl: string,
  env: Readonly<Record<string, string>> = {},
): Promise<RunningEpn> {
  const { url, prefix } = createTestRedis(redisUrl);
  const journalDir = await mkdtemp(join(tmpdir(), 'kopeck-epn-'));
  const own = {
    HOST: '127.0.0.1',
    EPN_PORT: '0',
    EPN_METRICS_PORT: '0',
    REDIS_URL: url,
    REDIS_PREFIX: prefix,
    JOURNAL_DIR: journalDir,
    EPN_SECRET_TOKEN: `${TOKEN},${OLD_TOKEN}`,
    EPN_DEFAULT_CURRENCY: 'RUB',
    ...env,
  };
  const config = loadConfig(epnServiceConfig, own);
  const lines: string[] = [];
  let receiver = await startEpn(config, logTo(lines));
  const redis = new Redis(url, { maxRetriesPerRequest: null });
  const queue = new Queue<KopeckEvent>('events-epn', { connection: redis, prefix });

  return {
    url: receiver.url,
    metricsUrl: receiver.metricsUrl,
    webhook: `${receiver.url}/webhook/${TOKEN}`,
    journalDir,
    redis,
    prefix,
    lines,
    queued: async () => (await queue.getJobs(['waiting', 'prioritized'])).map(({ data }) => data),
    env: own,
    stop: () => receiver.close(),
    startAgain: async () => {
      receiver = await startEpn(config, logTo(lines));
      return receiver.url;
    },
    close: async () => {
      await receiver.close();
      await queue.close();
      redis.disconnect();
      await rm(journalDir, { recursive: true });
    },
  };
}

function logTo(lines: string[]): Log {
  const write = (message: string, meta?: object): void => {
    lines.push(inspect([message, meta], { depth: 12 }));
  };
  return { error: write, warn: write, info: write, debug: write };
}
