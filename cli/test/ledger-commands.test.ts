import { createConnection } from 'mysql2/promise';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { loadConfig } from '@kopeck/runtime/config';
import { noLog } from '@kopeck/runtime/log';
import { migrate } from '@kopeck/runtime/migrate';
import { openQueue } from '@kopeck/runtime/queue';
import { paymentEvent } from '@kopeck/testing/build-event';
import { createTestDatabase, createTestRedis } from '@kopeck/testing/test-database';
import { waitFor } from '@kopeck/testing/wait-for';
import { ledgerConfig } from '../../services/ledger/src/config.ts';
import { startLedger, type Ledger } from '../../services/ledger/src/start-ledger.ts';
import { Advice, type Context } from '../src/commands/command.ts';
import { COMMANDS } from '../src/commands/table.ts';

// The commands that ask of the books, against a ledger that runs: through its queue and its database.

const paid = (paymentId: string) =>
  paymentEvent('payment.paid', {
    source: 'sbp',
    paymentId,
    reference: `order of ${paymentId}`,
    paid: { asset: 'RUB', amount: '100.5' },
  });
const EVENTS = [paid('AD1'), paid('AD2')];
const REBUILT = `kopeck_rebuilt_${process.pid}`;

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let values: Record<string, string>;
let ledger: Ledger;

beforeAll(async () => {
  database = await createTestDatabase(inject('mariadbRootUrl'));
  await migrate(database.url);
  const rootUrl = new URL(inject('mariadbRootUrl'));
  rootUrl.pathname = new URL(database.url).pathname;
  const { prefix } = createTestRedis('');
  values = {
    DATABASE_URL: database.url,
    KOPECK_DATABASE_ROOT_URL: rootUrl.href,
    REDIS_URL: inject('redisUrl'),
    REDIS_PREFIX: prefix,
    HOST: '127.0.0.1',
    LEDGER_PORT: '0',
    LEDGER_METRICS_PORT: '0',
    LEDGER_API_TOKEN: 'a-token-that-reads-the-whole-ledger-0001',
    NDN_PER_STAR: '10',
    REPORT_HOUR: 'off',
  };
  const config = loadConfig(ledgerConfig, values);
  ledger = await startLedger({ config, log: noLog, now: () => new Date() });
  values['LEDGER_METRICS_URL'] = ledger.metricsUrl;

  const redis = new Redis(inject('redisUrl'), { maxRetriesPerRequest: null });
  const queue = openQueue('events-sbp', redis, prefix);
  await queue.publish(EVENTS);
  await queue.close();
  redis.disconnect();
  await waitFor(async () => (await kopeck('review', 'list')).said.includes('AD2'));
});
afterAll(async () => {
  await ledger.close();
  const root = await createConnection(inject('mariadbRootUrl'));
  await root.query(`DROP DATABASE IF EXISTS ${REBUILT}`);
  await root.end();
  await database.drop();
});

/** As `npm run kopeck -- …`, in this process. */
async function kopeck(name: string, ...args: string[]): Promise<{ code: number; said: string }> {
  const said: string[] = [];
  const context: Context = {
    find: (key) => values[key],
    value: (key) => values[key] ?? '',
    envFiles: [],
    say: (text) => void said.push(text),
    now: () => new Date(),
  };
  const command = await COMMANDS[name]?.load();
  const code = (await command?.run(args, context)) ?? -1;
  return { code, said: said.join('\n') };
}

test('what waits for a person is listed, settled and dismissed, each as an event with who and why', async () => {
  const { said } = await kopeck('review', 'list');
  expect(said).toMatch(/^1 {2}\S+ {2}open {2}order-unknown 100\.50* RUB\n {4}sbp\.payment\.paid/);
  expect(said.split('\n')).toHaveLength(4);

  const settled = await kopeck(
    'review',
    'settle',
    '1',
    '--why',
    'paid at the desk',
    '--by',
    'anna',
  );
  expect(settled).toMatchObject({
    code: 0,
    said: expect.stringMatching(/^booked as admin\.review/),
  });
  const dismissed = await kopeck('review', 'dismiss', '2', '--why', 'a test', '--by', 'boris');
  expect(dismissed).toMatchObject({
    code: 0,
    said: expect.stringMatching(/^noted as admin\.review/),
  });
  expect((await kopeck('review', 'list')).said).toBe('Nobody need look at anything.');
  expect((await kopeck('review', 'list', '--all')).said).toMatch(/settled[^]*dismissed/);

  const [, id = ''] = /^booked as (\S+),/.exec(settled.said) ?? [];
  const [decision] = JSON.parse((await kopeck('explain', id)).said) as [Record<string, unknown>];
  expect(decision).toMatchObject({
    outcome: 'booked',
    data: { by: 'anna', why: 'paid at the desk' },
    entry: {
      postings: [
        { account: 'sales', amount: '-100.5' },
        { account: 'suspense', amount: '100.5' },
      ],
    },
  });
});

test('a decision without a reason, of no row, or a second one is refused with advice', async () => {
  for (const [args, words] of [
    [['settle', '1'], 'usage:'],
    [['settle', '77', '--why', 'x'], 'There is no row 77'],
    [['dismiss', '1', '--why', 'x'], 'Row 1 is settled already'],
    [['burn', '1', '--why', 'x'], 'usage:'],
  ] as const) {
    const refused = kopeck('review', ...args);
    await expect(refused).rejects.toThrow(Advice);
    await expect(refused).rejects.toThrow(words);
  }
});

test('explain finds a payment by what the shop and the provider call it', async () => {
  for (const name of ['AD1', 'order of AD1', EVENTS[0]?.id ?? '']) {
    const { code, said } = await kopeck('explain', name);
    expect([name, code, said.includes('"order-unknown"')]).toEqual([name, 0, true]);
  }
  expect(await kopeck('explain', 'nobody')).toMatchObject({ code: 1 });
});

test('status says who is ready, what waits and the head, which the audit then holds to', async () => {
  const { code, said } = await kopeck('status');
  expect(code).toBe(1); // the other five do not run here
  expect(said).toMatch(/^ {2}ledger {8}ready$/m);
  expect(said).toMatch(/^ {2}courier {7}DOES NOT ANSWER$/m);
  expect(said).toMatch(/^ {2}events-sbp {4}0$/m);
  const [, head = ''] = /^ {2}head {10}(4:[0-9a-f]{64})$/m.exec(said) ?? [];
  const json = JSON.parse((await kopeck('status', '--json')).said) as object;
  expect(json).toMatchObject({ queues: { 'events-sbp': 0 }, books: { head, openReviews: 0 } });

  expect(await kopeck('audit', '--head', head)).toMatchObject({
    code: 0,
    said: `The books are whole: 4 events, 3 balances.\nhead ${head}`,
  });
  const wrong = await kopeck('audit', '--head', `2:${'0'.repeat(64)}`);
  expect(wrong).toMatchObject({ code: 1, said: expect.stringMatching(/^WRONG at seq 2/) });
});

test('status without MariaDB and Redis says so instead of waiting for them', async () => {
  const before = values;
  values = {
    ...values,
    DATABASE_URL: 'mysql://u:p@127.0.0.1:9/none',
    REDIS_URL: 'redis://127.0.0.1:9/0',
  };
  const { code, said } = await kopeck('status');
  values = before;
  expect(code).toBe(1);
  expect(said).toContain('Redis does not answer');
  expect(said).toContain('MariaDB does not answer');
});

test('the books are reported, exported, rebuilt with their evidence, and evidence is emptied', async () => {
  // A day stays as it was, also when its suspense is settled later.
  const report = await kopeck('report', 'day', '2026-10-05', '--format', 'csv');
  expect(report.said).toContain('sbp,RUB,201,0,0,201,2');
  expect((await kopeck('export', '--hledger')).said).toContain('    sales  -100.5 RUB');
  expect((await kopeck('export', '--beancount')).said).toContain('  Income:Sales  -100.5 RUB');
  expect((await kopeck('export', '--chain')).said.split('\n')).toHaveLength(4);
  await expect(kopeck('export')).rejects.toThrow('usage:');

  const { code, said } = await kopeck('rebuild', '--into', REBUILT);
  expect(said).toMatch(/holds the same books: 4 events\.\nhead 4:/);
  // The builder's evidence is nobody's answer.
  expect(said).toContain('Evidence: 0 come to what was booked, 0 do not, 2 cannot be read again.');
  expect(code).toBe(0);

  expect((await kopeck('retention', '--days', '0')).said).toContain('evidence of 2 events');
  expect(await kopeck('audit')).toMatchObject({ code: 0 });
});
