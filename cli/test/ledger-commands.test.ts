import { createConnection } from 'mysql2/promise';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { KopeckEvent, QueueName } from '@kopeck/core/event';
import { receive } from '@kopeck/core/receive';
import { loadConfig } from '@kopeck/runtime/config';
import { noLog } from '@kopeck/runtime/log';
import { migrate } from '@kopeck/runtime/migrate';
import { openQueue } from '@kopeck/runtime/queue';
import { paymentEvent } from '@kopeck/testing/build-event';
import { deliveryOf } from '@kopeck/testing/delivery';
import { createTestDatabase, createTestRedis } from '@kopeck/testing/test-database';
import { waitFor } from '@kopeck/testing/wait-for';
import { epnSource } from '../../services/epn/src/epn/source.ts';
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

  await publish('events-sbp', ...EVENTS);
  await waitFor(async () => (await kopeck('review', 'list')).said.includes('AD2'));
});
afterAll(async () => {
  await ledger.close();
  const root = await createConnection(inject('mariadbRootUrl'));
  for (const name of [REBUILT, `${REBUILT}_again`])
    await root.query(`DROP DATABASE IF EXISTS ${name}`);
  await root.end();
  await database.drop();
});

async function publish(name: QueueName, ...events: readonly KopeckEvent[]): Promise<void> {
  const redis = new Redis(inject('redisUrl'), { maxRetriesPerRequest: null });
  const queue = openQueue(name, redis, values['REDIS_PREFIX'] ?? '');
  await queue.publish(events);
  await queue.close();
  redis.disconnect();
}

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

test('a day and a month are reported as text, CSV and JSON, and stay as they were', async () => {
  // Its suspense was settled later: that is of another day.
  const day = await kopeck('report', 'day', '2026-10-05');
  expect(day).toEqual({
    code: 0,
    said: `2026-10-05T00:00:00.000Z .. 2026-10-06T00:00:00.000Z
source  network  asset  gross  fees  refunds  suspense  entries
sbp     main     RUB      201     0        0       201        2`,
  });
  const month = await kopeck('report', 'month', '2026-10', '--format', 'csv');
  expect(month.said).toBe(
    'source,network,asset,gross,fees,refunds,suspense,entries\nsbp,main,RUB,201,0,0,201,2',
  );
  const json = await kopeck('report', 'month', '2026-10', '--format', 'json');
  const [source, network, asset] = ['sbp', 'main', 'RUB'];
  const sums = { gross: '201', fees: '0', refunds: '0', suspense: '201', entries: 2 };
  expect(JSON.parse(json.said)).toEqual({
    from: '2026-10-01T00:00:00.000Z',
    to: '2026-11-01T00:00:00.000Z',
    lines: [{ source, network, asset, ...sums }],
  });
  const december = await kopeck('report', 'month', '2026-12', '--format', 'json');
  expect(JSON.parse(december.said)).toEqual({
    from: '2026-12-01T00:00:00.000Z',
    to: '2027-01-01T00:00:00.000Z',
    lines: [],
  });
});

test('a time or a format that does not exist is refused with the usage', async () => {
  for (const args of [
    [],
    ['week', '2026-10-05'],
    ['day', '2026-10'],
    ['day', '2026-02-30'],
    ['month', '2026-13'],
    ['month', '2026-10', '--format', 'xml'],
    ['month', '2026-10', '--all'],
  ])
    await expect(kopeck('report', ...args), args.join(' ')).rejects.toThrow('usage:');
});

test('the books are exported, rebuilt with their evidence, and evidence is emptied', async () => {
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

test('explain finds a charge of Telegram and an invoice of CryptoBot', async () => {
  const [charge, invoice] = ['stx-of-the-cli', '528891'];
  const events = [
    paymentEvent('payment.paid', {
      source: 'telegram',
      paymentId: charge,
      paid: { asset: 'XTR', amount: '150' },
      reference: '{"telegram_id":5123,"amount_ndn":1500}',
    }),
    paymentEvent('payment.paid', {
      source: 'cryptobot',
      paymentId: invoice,
      paid: { asset: 'TON', amount: '2.5' },
    }),
  ];
  await publish('events-crypto', ...events);
  for (const [index, name] of [charge, invoice].entries()) {
    const { said } = await waitFor(async () => {
      const answer = await kopeck('explain', name);
      return answer.code === 0 && answer;
    });
    expect(JSON.parse(said)).toMatchObject([
      { id: events[index]?.id, data: { paymentId: name }, chain: {}, evidence: { raw: {} } },
    ]);
  }
});

test('a rebuild names evidence that comes to something else than was booked, and fails', async () => {
  const [right, booked] = [await postback('u-1'), await postback('u-2')];
  const data = { ...booked.data, commission: { asset: 'RUB', amount: '1' } };
  const wrong = { ...booked, data } as KopeckEvent;
  await publish('events-epn', right, wrong);
  await waitFor(async () => (await kopeck('explain', wrong.id)).code === 0);

  const { code, said } = await kopeck('rebuild', '--into', `${REBUILT}_again`);
  expect(said).toContain(`${wrong.id} is not what its raw bytes come to`);
  expect(said).not.toContain(right.id);
  expect(said).toContain('Evidence: 1 come to what was booked, 1 do not, 2 cannot be read again.');
  // The books are right: it is the evidence that somebody must look at.
  expect(said).toContain('holds the same books: 8 events.');
  expect(code).toBe(1);
});

/** As the receiver makes it, evidence and all. */
async function postback(action: string): Promise<KopeckEvent> {
  const token = 'epn-token-of-this-test_0123456789abcdef';
  const source = epnSource({ EPN_SECRET_TOKEN: [token], EPN_DEFAULT_CURRENCY: 'RUB' });
  const query = `click_id=7&order_number=O-1&uniq_id=${action}&order_status=approved&commission_fee=96.35`;
  const delivery = deliveryOf({ method: 'GET', path: `/webhook/${token}`, query });
  const outcome = await receive(source, delivery, async () => 'accepted');
  if (outcome.kind !== 'accepted') throw new Error(outcome.kind);
  return outcome.event;
}
