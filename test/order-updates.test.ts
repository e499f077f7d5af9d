import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { KopeckEvent } from '@kopeck/core/event';
import { makeEvent } from '@kopeck/core/make-event';
import { parseJsonText } from '@kopeck/core/json';
import { cryptobotSource } from '../services/crypto/src/cryptobot/source.ts';
import { eventOf as listedInvoice } from '../services/crypto/src/reconcile/invoices.ts';
import { eventOf as listedTransaction } from '../services/crypto/src/reconcile/transactions.ts';
import { telegramSource } from '../services/crypto/src/telegram/source.ts';
import {
  BOT_SECRET,
  BOT_TOKEN,
  eventOf,
  fromCryptoPay,
  fromTelegram,
  MAIN_TOKEN,
} from '../services/crypto/test/partners.ts';
import { openBooks, type Books } from '../services/ledger/test/books.ts';

/**
 * Whatever becomes known of one order, in whatever order and in whatever batches: the webhook, its
 * repeat, the partner's list, the order itself, the refund, somebody else's payment of the same link.
 * `npm run test:permutations` goes through all 720 orders of each partner.
 */
const RUNS = process.env['PERMUTATIONS'] ?? '20';

let books: Books;
let run = 0;

beforeAll(async () => {
  books = await openBooks(inject('mariadbRootUrl'));
});

afterAll(() => books.close());

/** What belongs to one run has its number in its ids, so that all runs share the books. */
interface Run {
  readonly mark: string;
  readonly user: number;
  readonly orderId: string;
}

type MakeUpdates = (run: Run) => Promise<Readonly<Record<string, KopeckEvent>>>;

const telegram = telegramSource({
  TELEGRAM_BOT_TOKEN: BOT_TOKEN,
  TELEGRAM_WEBHOOK_SECRET: [BOT_SECRET],
});
const cryptobot = cryptobotSource({ CRYPTOBOT_TOKEN: [MAIN_TOKEN] });

async function starsUpdates({ mark, user, orderId }: Run) {
  const webhook = (updateId: number, key: string, charge: string, payer: number) =>
    eventOf(
      telegram,
      fromTelegram(
        Buffer.from(
          JSON.stringify({
            update_id: updateId,
            message: {
              from: { id: payer },
              chat: { id: payer },
              date: 1_791_206_105 + updateId,
              [key]: {
                currency: 'XTR',
                total_amount: 150,
                invoice_payload: orderId,
                telegram_payment_charge_id: charge,
              },
            },
          }),
        ),
      ),
    );
  const paid = await webhook(1, 'successful_payment', `stx${mark}`, user);
  const partner = {
    type: 'user',
    transaction_type: 'invoice_payment',
    user: { id: String(user) },
    invoice_payload: orderId,
  };
  const item = { id: `stx${mark}`, amount: '150', date: '1791206106', source: partner };
  const listed = listedTransaction(item, '7000000001', new Date('2026-10-06T00:00:00Z'));
  return {
    order: orderOf(orderId, user, { asset: 'XTR', amount: '150' }),
    paid,
    redelivered: { ...paid, receivedat: '2026-10-05T13:00:00.000Z' },
    listed: there(listed),
    refunded: await webhook(9, 'refunded_payment', `stx${mark}`, user),
    other: await webhook(5, 'successful_payment', `stX${mark}`, user + 1),
  };
}

async function invoiceUpdates({ mark, user, orderId }: Run) {
  const invoice = (id: string, paidAt: string, amount: string) => ({
    invoice_id: id,
    status: 'paid',
    currency_type: 'crypto',
    asset: 'USDT',
    amount,
    paid_asset: 'USDT',
    paid_amount: amount,
    fee_asset: 'USDT',
    fee_amount: '0.135',
    paid_at: paidAt,
    payload: orderId,
  });
  const webhook = (content: object, sentAt: string) =>
    eventOf(
      cryptobot,
      fromCryptoPay(
        Buffer.from(
          JSON.stringify({ update_type: 'invoice_paid', request_date: sentAt, payload: content }),
        ),
      ),
    );
  const genuine = invoice(`1${mark}`, '2026-10-05T12:35:02.266Z', '4.5');
  const item = parseJsonText(Buffer.from(JSON.stringify(genuine))) as object;
  const later = new Date('2026-10-06T00:00:00Z');
  return {
    order: orderOf(orderId, user, { asset: 'USDT', amount: '4.5' }),
    paid: await webhook(genuine, '2026-10-05T12:35:03Z'),
    redelivered: await webhook(genuine, '2026-10-05T12:36:33Z'),
    listed: there(listedInvoice(item, { app: '31337', network: 'main' }, later)),
    other: await webhook(invoice(`2${mark}`, '2026-10-05T12:30:00.000Z', '4.5'), 'x'),
    cheaper: await webhook(invoice(`3${mark}`, '2026-10-05T12:31:00.000Z', '4'), 'x'),
  };
}

function orderOf(orderId: string, user: number, price: { asset: string; amount: string }) {
  const of = { user: String(user) };
  return makeEvent({
    source: 'crypto',
    type: 'order.created',
    identity: [orderId],
    subject: `order:crypto:${orderId}`,
    time: null,
    receivedAt: new Date('2026-10-05T12:31:00Z'),
    network: 'main',
    money: price,
    reference: orderId,
    data: {
      orderId,
      price,
      grants: [
        { kind: 'credit', ...of, asset: 'NDN', amount: '1500' },
        { kind: 'subscription', ...of, plan: 'pro-30', days: 30 },
      ],
      ...of,
    },
    evidence: '',
  });
}

function there(event: KopeckEvent | null): KopeckEvent {
  if (event === null) throw new Error('the list holds no payment');
  return event;
}

type Plan = readonly (readonly string[])[];

/** Books these updates, batch after batch, and tells what the books then say of them. */
async function booksAfter(plan: Plan, make: MakeUpdates): Promise<string> {
  run += 1;
  const mark = `r${String(run).padStart(6, '0')}x`;
  const user = 4_000_000_000 + run * 10;
  const updates = await make({ mark, user, orderId: `kp_${mark}` });
  for (const names of plan) {
    await books.book(...names.flatMap((name) => updates[name] ?? []));
  }
  const subjects = [...new Set(Object.values(updates).map(({ subject }) => subject))];
  const state = await stateOf(subjects, user);
  return JSON.stringify(state).replaceAll(mark, '#').replaceAll(String(user), 'USER');
}

async function stateOf(subjects: readonly string[], user: number): Promise<object> {
  const of = subjects.map((subject) => books.pool.escape(subject)).join(', ');
  const read = (sql: string) => books.query(sql);
  return {
    postings: await read(
      `SELECT subject, account, asset, SUM(amount) AS amount FROM postings WHERE subject IN (${of})
        GROUP BY subject, account, asset HAVING SUM(amount) <> 0 ORDER BY 1, 2, 3`,
    ),
    balance: await read(
      `SELECT asset, amount FROM balances WHERE account = 'user:${user}' AND amount <> 0`,
    ),
    payments: await read(
      `SELECT subject, order_id, status, asset, amount FROM payments WHERE subject IN (${of}) ORDER BY 1`,
    ),
    open: await read(
      `SELECT subject, reason FROM reviews WHERE subject IN (${of}) AND state = 'open' ORDER BY 1, 2`,
    ),
    plans: await read(
      `SELECT plan, active_until FROM subscriptions WHERE user = '${user}' AND active_until IS NOT NULL`,
    ),
    known: await read(`SELECT type, subject FROM inbox WHERE subject IN (${of}) ORDER BY 1, 2`),
  };
}

describe.each<[string, readonly string[], MakeUpdates]>([
  ['Stars', ['order', 'paid', 'redelivered', 'listed', 'refunded', 'other'], starsUpdates],
  ['CryptoBot', ['order', 'paid', 'redelivered', 'listed', 'other', 'cheaper'], invoiceUpdates],
])('%s', (_partner, names, make) => {
  const expected = new Map<string, Promise<string>>();
  /** The same updates in the order in which they happened, all at once. */
  function inOrder(some: readonly string[]): Promise<string> {
    const chosen = names.filter((name) => some.includes(name));
    const key = chosen.join();
    const known = expected.get(key) ?? booksAfter([chosen], make);
    expected.set(key, known);
    return known;
  }

  const WITHIN_MS = RUNS === 'all' ? 900_000 : 60_000;
  test(
    'ends in the same books, whatever comes, in any order and batches',
    { timeout: WITHIN_MS },
    async () => {
      if (RUNS === 'all') {
        for (const order of permutations(names)) {
          expect(
            await booksAfter(
              order.map((name) => [name]),
              make,
            ),
          ).toBe(await inOrder(names));
        }
        return;
      }
      const cuts = fc.array(fc.boolean(), { minLength: names.length, maxLength: names.length });
      await fc.assert(
        fc.asyncProperty(
          fc.shuffledSubarray([...names], { minLength: 1 }),
          cuts,
          async (order, cut) => {
            expect(await booksAfter(inBatches(order, cut), make)).toBe(await inOrder(order));
          },
        ),
        { numRuns: Number(RUNS) },
      );
    },
  );
});

function inBatches(order: readonly string[], cut: readonly boolean[]): Plan {
  const batches: string[][] = [[]];
  order.forEach((name, at) => {
    if (cut[at] === true) batches.push([]);
    batches.at(-1)?.push(name);
  });
  return batches.filter((batch) => batch.length > 0);
}

function permutations(items: readonly string[]): readonly (readonly string[])[] {
  if (items.length <= 1) return [items];
  return items.flatMap((first) =>
    permutations(items.filter((other) => other !== first)).map((rest) => [first, ...rest]),
  );
}
