import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { createConnection } from 'mysql2/promise';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '@kopeck/testing/wait-for';
import { run as replay } from '../../cli/src/commands/replay.ts';
import { contextWith } from '../../cli/test/context.ts';
import {
  startMailServer,
  type MailServer,
  type Received,
} from '../../services/courier/test/harness.ts';
import { allBooked, query } from '../rig/books.ts';
import { openOutside, type Outside } from '../rig/outside.ts';
import { cryptobot, epn, telegram, type Answer } from '../rig/partners.ts';
import { NAMES, startRig, type Rig } from '../rig/rig.ts';

/** Of nobody: it stands in what partners send, and in no mail. */
const PERSON = {
  id: '5153000153',
  phone: '+79000000153',
  email: 'kanareykin@buyer.test',
  name: 'Kanareykin',
  user: 'kanareyka_153',
  ip: '203.0.113.153',
  comment: 'call-me-canary',
};

interface Kind {
  readonly title: string;
  /** Tells it from the same trouble of another thing. */
  readonly figure?: string;
}

/** What begins and ends: one mail each. */
const INCIDENTS: Readonly<Record<string, Kind>> = {
  'database-down': { title: "the ledger's database (MariaDB) is down" },
  'queue-late': { title: 'events wait too long to be booked', figure: 'queue: events-crypto' },
  'redis-down': { title: 'Redis is down' },
  'journal-half-full': { title: 'a journal is more than half full', figure: 'service: crypto' },
  'journal-unavailable': { title: 'a receiver cannot write its journal' },
  'signatures-failing': { title: 'many deliveries with a wrong signature' },
  'partner-silent': { title: 'a partner has told nothing for a long time' },
  'webhook-dead': { title: 'calls to FULFILMENT_URL have failed for good' },
  'webhook-missed': { title: 'payments were found of which no webhook had come' },
  'disk-low': { title: 'the disk is nearly full' },
  'memory-low': { title: 'memory is nearly used up' },
  'certificate-ends': { title: 'the certificate ends soon' },
  'audit-failed': { title: 'the audit of the books has failed' },
};

/** What has happened and does not end: one mail. */
const NOTICES: Readonly<Record<string, string>> = {
  quarantined: 'quarantined (authentic, but senseless)',
  conflict: 'came again with other content',
  suspense: 'paid, but not explained',
};

/** Short waits, by configuration alone: everything else is as in production. */
const THRESHOLDS = {
  ALERTS_PER_HOUR: '1000',
  ALERTS_PER_DAY: '1000',
  AUDIT_HOUR: 'off',
  QUEUE_LATE_MINUTES: '0.1',
  JOURNAL_MAX_BYTES: '131072',
  FORGED_PER_MINUTE: '5',
  FORGED_QUIET_MINUTES: '0.1',
  RECONCILE_MINUTES: '0.05',
  FULFILMENT_SECRET: 'whsec_Y2FuYXJ5LWZ1bGZpbG1lbnQtY2FuYXJ5LTAwMDE=',
};
const EVERYTHING_IS_LOW = {
  DISK_LOW_PERCENT: '100',
  MEMORY_LOW_PERCENT: '100',
  CERTIFICATE_DAYS: '36500',
};
const NOTHING_IS_LOW = { DISK_LOW_PERCENT: '0', MEMORY_LOW_PERCENT: '0', CERTIFICATE_DAYS: '0' };
/** What waits while the ledger is started anew is not what is late here. */
const WATCHFUL = {
  AUDIT_HOUR: '0',
  PARTNER_SILENT_HOURS: 'epn:0.003',
  QUEUE_LATE_MINUTES: '5',
};

/** The promise: whatever is wrong is told within a minute. */
const TOLD_WITHIN = { timeoutMs: 60_000, everyMs: 50 };

/** What a payment may take on a slow machine, from its webhook to the books. */
const HELD_UP_MS = 30_000;

let rig: Rig;
let redis: Redis;
let outside: Outside;
let mail: MailServer;
let earlier: readonly Received[] = [];
let isEpnTalking = true;
const ending = new AbortController();

beforeAll(async () => {
  [mail, outside] = await Promise.all([startMailServer(), openOutside()]);
  rig = await startRig(
    NAMES.filter((name) => name !== 'courier'),
    { ...THRESHOLDS, ...outside.env, SMTP_URL: mail.url },
  );
  redis = new Redis(rig.redis.url, { maxRetriesPerRequest: null });
  redis.on('error', () => undefined);
  await rig.start('courier', EVERYTHING_IS_LOW);
  void talk();
}, 120_000);
afterAll(async () => {
  ending.abort();
  redis.disconnect();
  await rig.close();
  await Promise.all([mail.close(), outside.close()]);
});

test('MariaDB is down, and what waits for it is late', async () => {
  await rig.mariadb.stop();
  await taken(paid('waits'));
  await told('OPEN', ['database-down', 'queue-late', 'disk-low', 'memory-low', 'certificate-ends']);
  await rig.mariadb.restart();
  await told('OVER', ['database-down', 'queue-late']);
}, 150_000);

test('Redis is down', async () => {
  await rig.redis.stop();
  await taken(paid('without-redis'));
  await told('OPEN', ['redis-down']);
  await rig.redis.restart();
  await told('OVER', ['redis-down']);
}, 150_000);

test('Redis has no room, so that a journal grows until it is full', async () => {
  // Most of it, so that what Redis takes and gives back by itself makes no difference.
  await redis.setrange('ballast', 20 * 2 ** 20, 'x');
  const used = Number(/^used_memory:(\d+)/m.exec(await redis.info('memory'))?.[1]);
  await redis.config('SET', 'maxmemory', Math.ceil(used * 1.3));
  const statuses = new Set<number>();
  while (!statuses.has(503)) statuses.add((await paid(`grows-${statuses.size}`, true)).status);
  await told('OPEN', ['journal-half-full', 'journal-unavailable']);
  await redis.config('SET', 'maxmemory', 0);
  await redis.del('ballast');
  await waitFor(async () => (await paid('room-again', true)).status === 200);
  await told('OVER', ['journal-half-full', 'journal-unavailable']);
}, 150_000);

test('with the mail server away nobody waits, and every alert comes when it is back', async () => {
  const port = Number(new URL(mail.url).port);
  await mail.close();
  earlier = mail.received;

  // First it takes connections and says nothing, so that each mail hangs; then nobody is there.
  const silent = await openSilence(port);
  await taken(cryptobot(rig, `{"senseless":${JSON.stringify(PERSON)}`));
  await silent.called;
  outside.answer(500);
  const begun = performance.now();
  const payment = await taken(paid('tampered-with'));
  await allBooked(rig, [String(payment.body['id'])]);
  expect(performance.now() - begun).toBeLessThan(HELD_UP_MS);
  expect(silent.connections()).toBeGreaterThan(0);
  silent.close();
  await tamper('"150"', '"151"');
  isEpnTalking = false;
  await Promise.all([restart('ledger', WATCHFUL), outside.payUnheard(41_777_001), strangers()]);
  for (const body of [invoice('5'), invoice('5000')]) await taken(cryptobot(rig, body));
  await timePasses();
  await waitFor(() => rig.processes.get('courier')?.log().includes('mail failed'), TOLD_WITHIN);

  mail = await startMailServer(port);
  await Promise.all([
    told('OPEN', ['signatures-failing', 'partner-silent', 'webhook-dead', 'webhook-missed']),
    told('OPEN', ['audit-failed']),
    waitFor(() => Object.values(NOTICES).every((title) => noticed(title) > 0), TOLD_WITHIN),
  ]);
}, 150_000);

test('what is mended is over', async () => {
  await tamper('"151"', '"150"');
  isEpnTalking = true;
  outside.answer(200);
  const operator = contextWith({ DATABASE_URL: rig.databaseUrl, REDIS_URL: rig.redis.url });
  expect(await replay([], operator)).toBe(0);
  await Promise.all([restart('ledger', WATCHFUL), restart('courier', NOTHING_IS_LOW)]);
  await told('OVER', Object.keys(INCIDENTS));
}, 150_000);

test.each(Object.keys(INCIDENTS))('%s: one mail when it opens, one when it is over', (kind) => {
  const mails = about(kind).map(({ subject }) => subject.replace(/ \([^()]*\)$/, ''));
  const { title } = INCIDENTS[kind] ?? { title: '' };
  expect(mails).toEqual([`[kopeck] OPEN: ${title}`, `[kopeck] OVER: ${title}`]);
});

test.each(Object.entries(NOTICES))('%s: one mail', (_reason, title) => {
  expect(noticed(title)).toBe(1);
});

test('nobody is in any mail', () => {
  const text = mails()
    .map((each) => `${each.subject}\n${each.text}`)
    .join('\n');
  expect(text.length).toBeGreaterThan(1_000);
  expect(Object.values(PERSON).filter((part) => text.includes(part))).toEqual([]);
});

const mails = (): readonly Received[] => [...earlier, ...mail.received];

function about(kind: string): readonly Received[] {
  const { title = '', figure = '' } = INCIDENTS[kind] ?? {};
  return mails().filter(({ subject, text }) => subject.includes(title) && text.includes(figure));
}

const noticed = (title: string): number =>
  mails().filter(({ subject }) => subject.includes(title)).length;

async function told(state: 'OPEN' | 'OVER', kinds: readonly string[]): Promise<void> {
  const missing = (): readonly string[] =>
    kinds.filter((kind) => !about(kind).some(({ subject }) => subject.includes(`${state}: `)));
  await waitFor(
    () => {
      expect(missing()).toEqual([]);
      return true;
    },
    { ...TOLD_WITHIN, what: `${state} of ${kinds.join(', ')}` },
  );
}

/** Stars of a person who says too much. */
let payments = 0;
function paid(charge: string, isOneOfMany = false): Promise<Answer> {
  payments += 1;
  const id = isOneOfMany ? `${charge}-${payments}` : charge;
  const { name, user } = PERSON;
  const from = { id: Number(PERSON.id), is_bot: false, first_name: name, username: user };
  const payment = {
    currency: 'XTR',
    total_amount: 150,
    invoice_payload: `{"telegram_id":${PERSON.id},"amount_ndn":1500}`,
    telegram_payment_charge_id: id,
    provider_payment_charge_id: '',
    order_info: { name, phone_number: PERSON.phone, email: PERSON.email },
  };
  const chat = { id: from.id, type: 'private', first_name: name };
  const message = { message_id: 1, date: 1_791_206_105, from, chat, successful_payment: payment };
  return telegram(rig, JSON.stringify({ update_id: payments, message }));
}

const invoice = (amount: string): string =>
  JSON.stringify({
    update_type: 'invoice_paid',
    payload: {
      invoice_id: 153,
      status: 'paid',
      asset: 'USDT',
      amount,
      payload: PERSON.comment,
      comment: PERSON.phone,
    },
  });

async function taken(asked: Promise<Answer>): Promise<Answer> {
  const answer = await asked;
  expect(answer.status).toBe(200);
  return answer;
}

/** Postbacks, as long as EPN is to be heard. */
async function talk(): Promise<void> {
  for (let turn = 0; !ending.signal.aborted; turn += 1) {
    const fields = {
      click_id: PERSON.user,
      order_number: 'o',
      ip: PERSON.ip,
      uniq_id: `t-${turn}`,
    };
    if (isEpnTalking) await epn(rig, { ...fields, order_status: 'waiting' }).catch(() => undefined);
    await delay(1_000, undefined, { signal: ending.signal }).catch(() => undefined);
  }
}

/** Somebody tries keys: more than the threshold, however they fall into minutes. */
async function strangers(): Promise<void> {
  const answers = await Promise.all(
    Array.from({ length: 12 }, () => cryptobot(rig, JSON.stringify(PERSON), 'a wrong key')),
  );
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]));
}

/** A mail server that hangs: whoever connects to it waits. */
async function openSilence(port: number) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => void sockets.add(socket.on('error', () => undefined)));
  const called = once(server, 'connection');
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    called,
    /** That are still waiting. */
    connections: () => [...sockets].filter(({ destroyed }) => !destroyed).length,
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

async function restart(name: 'ledger' | 'courier', env: Record<string, string>): Promise<void> {
  await rig.stop(name);
  await rig.start(name, env);
}

/** As somebody who owns the database may. */
async function tamper(from: string, to: string): Promise<void> {
  const connection = await createConnection(rig.databaseUrl);
  await connection.query('DROP TRIGGER IF EXISTS inbox_no_update');
  await connection.query(
    `UPDATE inbox SET data = REPLACE(data, ?, ?) WHERE type = 'payment.paid'`,
    [from, to],
  );
  await connection.end();
}

/** A day and more, for the calls to the operator's program: each try is due at once. */
async function timePasses(): Promise<void> {
  await waitFor(async () => {
    await query(
      rig,
      "UPDATE outbox SET next_attempt_at = UTC_TIMESTAMP(6) WHERE kind = 'webhook' AND done_at IS NULL",
    );
    return (await query(rig, 'SELECT 1 FROM outbox WHERE dead_at IS NOT NULL')).length > 0;
  }, TOLD_WITHIN);
}
