import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { KopeckEvent } from '@kopeck/core/event';
import { loadConfig } from '@kopeck/runtime/config';
import { noLog } from '@kopeck/runtime/log';
import type { Receiver } from '@kopeck/runtime/receiver';
import { listenTls } from '@kopeck/sandbox/tls';
import { freePort } from '@kopeck/testing/ports';
import { createTestRedis } from '@kopeck/testing/test-database';
import { waitFor } from '@kopeck/testing/wait-for';
import { sbpConfig } from '../src/config.ts';
import { startSbp } from '../src/start-sbp.ts';
import {
  API_TOKEN,
  BANK_KEY,
  call,
  createSbpDatabase,
  getStatus,
  kept,
  MERCHANT_ID,
  pay,
  postPayment,
  startTestSbp,
  turn,
  type RunningSbp,
  type SbpDatabase,
} from './running-sbp.ts';

let dir: string;
let database: SbpDatabase;
let bank: RunningSbp;
let service: Receiver;
let redis: Redis;
let queue: Queue<KopeckEvent>;
let environment: Record<string, string>;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kopeck-sbp-'));
  database = await createSbpDatabase();
  bank = await startTestSbp(kept(database), { hasCallbacks: false });
  const { url, prefix } = createTestRedis(inject('redisUrl'));
  redis = new Redis(url, { maxRetriesPerRequest: null });
  queue = new Queue('events-sbp', { connection: redis, prefix });
  environment = {
    HOST: '127.0.0.1',
    SBP_PORT: '0',
    SBP_METRICS_PORT: '0',
    DATABASE_URL: database.url,
    REDIS_URL: url,
    REDIS_PREFIX: prefix,
    JOURNAL_DIR: dir,
    WEBHOOK_API_TOKEN: API_TOKEN,
    RAIFFEISEN_URL: `${bank.sandboxUrl}/raiffeisen/api`,
    RAIFFEISEN_SECRET_KEY: BANK_KEY,
    RAIFFEISEN_SBP_MERCHANT_ID: MERCHANT_ID,
  };
  service = await startSbp(loadConfig(sbpConfig, environment), noLog);
});
afterAll(async () => {
  await service.close();
  await queue.close();
  redis.disconnect();
  await bank.close();
  await database.drop();
  await rm(dir, { recursive: true, force: true });
});

test('a whole service takes an order to the queue, and its payment after it', async () => {
  const { url } = service;
  await turn(bank, { callbackUrl: `${url}/webhook/sbp/raiffeisen` });
  // The bank's clock stands in the past: of the service it sees none.
  bank.advance(Date.now() - new Date('2026-01-15T13:00:00Z').getTime());

  const made = await postPayment({ url }, { amount: 100, orderId: 'order-1' });
  await pay(bank, made.body['qrcId'], { amount: 100 });
  await waitFor(async () => (await getStatus({ url }, 'order-1')).body['status'] === 'paid');

  const jobs = await waitFor(async () => {
    const found = await queue.getJobs(['waiting', 'prioritized', 'delayed'], 0, 10, true);
    return found.length === 2 && found;
  });
  expect(jobs.map(({ data }) => data.type).sort()).toEqual(['order.created', 'payment.paid']);
});

test('it says that it is ready, and counts what it heard', async () => {
  const { body } = await waitFor(async () => {
    const answer = await call(`${service.metricsUrl}/ready`);
    return answer.status === 200 && answer;
  });
  expect(body).toEqual({
    ready: true,
    checks: { journal: true, redis: true, database: true },
    warnings: [],
  });
  const metrics = await (await fetch(`${service.metricsUrl}/metrics`)).text();
  expect(metrics).toMatch(/kopeck_deliveries_total\{.*outcome="accepted".*\} 1/);
});

test('it does all of that without Redis, too', async () => {
  await service.close();
  const config = loadConfig(sbpConfig, {
    ...environment,
    REDIS_URL: `redis://127.0.0.1:${await freePort()}`,
    JOURNAL_DIR: join(dir, 'lonely'),
  });
  const lonely = await startSbp(config, noLog);
  await turn(bank, { callbackUrl: `${lonely.url}/webhook/sbp/raiffeisen` });
  const made = await postPayment(lonely, { amount: 100, orderId: 'no-redis' });
  await pay(bank, made.body['qrcId']);
  await waitFor(async () => (await getStatus(lonely, 'no-redis')).body['status'] === 'paid');
  await lonely.close();
});

test('a bank whose root Node does not know is refused, until SBP_EXTRA_CA names it', async () => {
  const toBank = (request: IncomingMessage, response: ServerResponse): void => {
    const { method = 'GET', headers, url = '/' } = request;
    const forwarded = httpRequest(`${bank.sandboxUrl}${url}`, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    request.pipe(forwarded);
  };
  const tls = await listenTls(toBank);
  const caFile = join(dir, 'root.pem');
  await writeFile(caFile, tls.ca);
  const secured = { ...environment, RAIFFEISEN_URL: `${tls.origin}/raiffeisen/api` };

  const doubtful = await startWith({ ...secured, JOURNAL_DIR: join(dir, 'doubtful') });
  const refused = await postPayment(doubtful, { amount: 100, orderId: 'untrusted' });
  expect(refused.body['error']).toMatch(/raiffeisen cannot be reached \([A-Z_]*(CERT|VERIFY)/);
  // Nothing was sent, so nothing can be out there: the next try may make a code.
  expect((await getStatus(doubtful, 'untrusted')).body['status']).toBe('failed');
  await doubtful.close();

  const believing = await startWith({
    ...secured,
    JOURNAL_DIR: join(dir, 'believing'),
    SBP_EXTRA_CA_FILE: caFile,
  });
  expect((await postPayment(believing, { amount: 100, orderId: 'untrusted' })).status).toBe(200);
  await believing.close();
  await tls.close();
});

function startWith(env: Readonly<Record<string, string>>): Promise<Receiver> {
  return startSbp(loadConfig(sbpConfig, env), noLog);
}
