import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ConfigError, loadConfig } from '@kopeck/runtime/config';
import { listen, type Listening } from '@kopeck/runtime/listen';
import { noLog } from '@kopeck/runtime/log';
import { nextTime } from '@kopeck/runtime/work-queue';
import { freePort } from '@kopeck/testing/ports';
import { adminConfig } from '../src/config.ts';
import { health } from '../src/health.ts';

let status = 200;
let asked = 0;
const receiver = createServer((_request, response) => {
  asked += 1;
  response.writeHead(status).end('{}');
});
let url: string;
beforeAll(async () => {
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/health`;
});
afterAll(() => void receiver.close());

/** The answer of /health at each of these moments, in seconds, one after the other. */
async function answersAt(urls: readonly string[], seconds: readonly number[]) {
  const times = [...seconds];
  const now = (): Date => new Date((times.shift() ?? 0) * 1000);
  const app = express().get('/health', health({ urls, now, log: noLog }));
  const server: Listening = await listen(app, 0, '127.0.0.1');
  const answers: { status: number; body: unknown }[] = [];
  for (const _second of seconds) {
    const response = await fetch(`${server.url}/health`);
    answers.push({ status: response.status, body: await response.json() });
  }
  await server.close();
  return answers;
}

describe('the public health', () => {
  test('is that of this process where no receivers are named', async () => {
    const [answer] = await answersAt([], [1234567890]);
    expect(answer).toEqual({ status: 200, body: { status: 'healthy', timestamp: 1234567890 } });
  });

  test('is healthy only if every receiver is', async () => {
    const nobody = `http://127.0.0.1:${await freePort()}/health`;
    expect(await answersAt([url, url], [10])).toMatchObject([{ status: 200 }]);
    expect(await answersAt([url, nobody], [10])).toEqual([
      { status: 503, body: { status: 'unhealthy', timestamp: 10, failing: 1 } },
    ]);
    status = 503;
    expect(await answersAt([url], [10])).toMatchObject([{ status: 503 }]);
    status = 200;
  });

  test('asks the receivers once a second, however often it is asked', async () => {
    asked = 0;
    await answersAt([url], [10, 10.2, 10.9]);
    expect(asked).toBe(1);
    await answersAt([url], [20, 21]);
    expect(asked).toBe(3);
  });
});

describe('the configuration', () => {
  const env = {
    REDIS_URL: 'redis://127.0.0.1:6379',
    JOURNAL_DIR: '/tmp',
    DATABASE_URL: 'mysql://admin:password@127.0.0.1/kopeck',
    ADMIN_API_KEY: 'k'.repeat(32),
  };
  const load = (more: Record<string, string>) => () => loadConfig(adminConfig, { ...env, ...more });

  test('has no default key, and takes none that is short', () => {
    expect(load({ ADMIN_API_KEY: '' })).toThrow(/ADMIN_API_KEY/);
    expect(load({ ADMIN_API_KEY: 'your-secret-key' })).toThrow(/ADMIN_API_KEY/);
    expect(load({})().ADMIN_API_KEY).toEqual([env.ADMIN_API_KEY]);
  });

  test('reads the panels from JSON', () => {
    const de1 = { kind: 'sandbox', url: 'https://de1.test/panel', token: 'secret' };
    expect(load({ PANELS: JSON.stringify({ de1 }) })().PANELS).toEqual({ de1 });
    expect(load({})().PANELS).toEqual({});
  });

  test.each([
    'canary',
    '{"de1":{"kind":"sandbox","url":"https://de1.test","token":"canary"',
    '{"de1":{"kind":"canary","url":"https://de1.test","token":"canary"}}',
    '{"de1":{"kind":"sandbox","url":"ftp://canary","token":"canary"}}',
    '{"canary!":{"kind":"sandbox","url":"https://de1.test","token":"canary"}}',
    '{"de1":{"kind":"sandbox","url":"https://de1.test","token":["canary"]}}',
    '{"de1":"canary"}',
  ])('refuses the panels %s without quoting them', (PANELS) => {
    expect(load({ PANELS })).toThrow(ConfigError);
    expect(load({ PANELS })).toThrow(/PANELS: /);
    expect(load({ PANELS })).not.toThrow(/canary/);
  });

  test.each(['0 4 * * *', '*/5 3-5 * * MON', '30 0 4 * * *'])('takes the times %s', (cron) => {
    expect(load({ ADMIN_REFRESH_CRON: cron })().ADMIN_REFRESH_CRON).toBe(cron);
  });

  test.each(['daily', '0 4 * *', '0 25 * * *', '0 4 30 2 *', 'a b c d e', '@daily'])(
    'refuses the times %s, which never come',
    (cron) => {
      expect(load({ ADMIN_REFRESH_CRON: cron })).toThrow(/ADMIN_REFRESH_CRON: .*cron/);
    },
  );

  test('schedules in UTC', () => {
    const next = nextTime('0 4 * * *', new Date('2026-10-05T05:00:00.000Z'));
    expect(next?.toISOString()).toBe('2026-10-06T04:00:00.000Z');
  });

  test('refuses addresses of receivers that are none', () => {
    expect(load({ RECEIVER_HEALTH_URLS: 'http://a:1/health,b' })).toThrow(/RECEIVER_HEALTH_URLS/);
  });
});
