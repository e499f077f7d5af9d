import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { KopeckEvent } from '@kopeck/core/event';
import { affiliateEvent } from '@kopeck/testing/build-event';
import { bookOrBisect } from '../src/book.ts';
import { openBooks, type Books } from './books.ts';

let books: Books;
beforeAll(async () => {
  books = await openBooks(inject('mariadbRootUrl'), { EPN_CASHBACK_PERCENT: '33.3' });
});
afterAll(() => books.close());

type Status = 'waiting' | 'pending' | 'completed' | 'rejected';

/** Events of one action, each received a second after the one before. */
function actionOf(actionId: string, clickId = actionId) {
  let second = 0;
  return (status: Status, amount: string, asset = 'RUB') => {
    const receivedAt = new Date(Date.UTC(2026, 9, 5, 12, 0, second));
    second += 1;
    return affiliateEvent(status, { actionId, clickId, commission: { asset, amount }, receivedAt });
  };
}

async function balancesOf(user: string): Promise<readonly string[]> {
  return (await books.balances()).filter((line) => line.startsWith(`user:${user} `));
}

async function alertsAbout(subject: string): Promise<readonly string[]> {
  const rows = await books.query(
    `SELECT o.payload FROM outbox o JOIN inbox i USING (event_id)
      WHERE o.kind = 'alert' AND i.subject = 'affiliate:epn_bz:${subject}' ORDER BY o.id`,
  );
  return rows.map(({ payload }) => (JSON.parse(String(payload)) as { reason: string }).reason);
}

async function reviewsOf(subject: string): Promise<readonly string[]> {
  const rows = await books.query(
    `SELECT reason, state FROM reviews WHERE subject = 'affiliate:epn_bz:${subject}' ORDER BY id`,
  );
  return rows.map(({ reason, state }) => `${reason} ${state}`);
}

test('a charge-back takes the same postings back, whatever the percentage is by then, and alerts', async () => {
  const action = actionOf('charged-back');
  await books.book(action('waiting', '93.10'), action('completed', '93.10'));
  expect(await balancesOf('charged-back')).toEqual(['user:charged-back 31 RUB']);
  expect(await alertsAbout('charged-back')).toEqual([]);

  await bookAt('50', action('rejected', '93.10'));
  expect(await balancesOf('charged-back')).toEqual([]);
  expect(await alertsAbout('charged-back')).toEqual(['charge-back']);
});

test('a repeat of a past status opens one review row, which a late event does not settle', async () => {
  const action = actionOf('repeated');
  const completed = action('completed', '10');
  await books.book(completed, action('rejected', '10'));
  expect(await books.outcomes(completed, completed)).toEqual(['duplicate', 'duplicate']);
  expect(await books.outcomes(completed)).toEqual(['duplicate']);
  expect(await reviewsOf('repeated')).toEqual(['repeat-of-past-status open']);

  await books.book(action('waiting', '10'));
  expect(await reviewsOf('repeated')).toEqual(['repeat-of-past-status open']);
  expect(await balancesOf('repeated')).toEqual([]);
});

test('other amounts under one status are revisions, told once a day; the first amounts again are for a person', async () => {
  const action = actionOf('revised');
  const first = action('completed', '10');
  await books.book(first, action('completed', '12'), action('completed', '11'));
  const [row] = await books.query(
    "SELECT revision, status, commission FROM affiliate_actions WHERE action_id = 'revised'",
  );
  expect(row).toMatchObject({
    revision: 3,
    status: 'completed',
    commission: '11.000000000000000000',
  });
  expect(await balancesOf('revised')).toEqual(['user:revised 3.66 RUB']);

  const due = await books.query(
    `SELECT HOUR(o.next_attempt_at) AS hour, o.next_attempt_at > o.created_at AS later FROM outbox o
      JOIN inbox i USING (event_id) WHERE i.subject = 'affiliate:epn_bz:revised'`,
  );
  expect(due).toEqual([
    { hour: 6, later: 1 },
    { hour: 6, later: 1 },
  ]);

  expect(await books.outcomes(first)).toEqual(['duplicate']);
  expect(await reviewsOf('revised')).toEqual(['repeat-of-past-amounts open']);
});

test('a second approval after a rejection is booked again when its amounts are new, and alerts', async () => {
  const action = actionOf('re-approved');
  await books.book(action('completed', '10'), action('rejected', '10'), action('completed', '9'));
  expect(await balancesOf('re-approved')).toEqual(['user:re-approved 2.99 RUB']);
  expect(await alertsAbout('re-approved')).toEqual(['charge-back', 're-approved']);
});

test('a charge-back that comes before its completion moves nothing and alerts nobody', async () => {
  const action = actionOf('out-of-order');
  const [completed, rejected] = [action('completed', '10'), action('rejected', '10')];
  await books.book(rejected, completed);
  expect(await balancesOf('out-of-order')).toEqual([]);
  expect(await alertsAbout('out-of-order')).toEqual([]);
});

test('an asset that Kopeck issues is booked nowhere and goes to review', async () => {
  const event = actionOf('coined')('completed', '1000', 'NDN');
  expect(await books.outcomes(event)).toEqual(['review']);
  expect(await reviewsOf('coined')).toEqual(['reserved-asset open']);
  expect((await books.balances()).join()).not.toContain('NDN');
});

test('e1 and E1, and an id with and without a trailing space, are different actions', async () => {
  const ids = ['e1', 'E1', 'e1 ', 'é1'];
  await books.book(...ids.map((id) => actionOf(id, 'case')('completed', '1.5')));
  expect(await balancesOf('case')).toEqual(['user:case 1.96 RUB']);
});

test('amounts keep their eighteenth decimal, and currencies are never added to each other', async () => {
  const [ton, usdt] = [actionOf('ton', 'coins'), actionOf('usdt', 'coins')];
  await books.book(
    ton('completed', '0.375000001', 'TON'),
    usdt('completed', '0.000000000000000001', 'USDT'),
  );
  const lines = (await books.balances()).filter((line) => / (TON|USDT)$/.test(line));
  expect(lines).toContain('provider:epn 0.375000001 TON');
  expect(lines).toContain('provider:epn 0.000000000000000001 USDT');
  expect(await balancesOf('coins')).toEqual(['user:coins 0.12 TON']);
});

/** The same books, kept by a ledger whose operator has changed the percentage. */
function bookAt(percent: string, event: KopeckEvent): Promise<unknown> {
  const inputsFor = () => ({ cashbackPercent: percent });
  return bookOrBisect({ pool: books.pool, inputsFor, now: () => new Date() }, [event]);
}

test('a signed message that comes again with another event is a conflict for a person, and books nothing', async () => {
  const brought = (actionId: string, messageId: string) =>
    affiliateEvent('completed', {
      actionId,
      clickId: 'signed',
      commission: { asset: 'RUB', amount: '10' },
      messageId,
    });
  const first = brought('signed-1', 'msg_1');
  // In one batch, in a later one, and with both at once.
  expect(await books.outcomes(first, brought('signed-2', 'msg_1'))).toEqual(['booked', 'conflict']);
  expect(await books.outcomes(brought('signed-3', 'msg_1'), first)).toEqual([
    'conflict',
    'duplicate',
  ]);
  expect(await balancesOf('signed')).toEqual(['user:signed 3.33 RUB']);
  expect(await reviewsOf('signed-3')).toEqual(['conflict open']);
  const kept = await books.query("SELECT 1 FROM conflicts WHERE event LIKE '%signed-3%'");
  expect(kept).toHaveLength(1);

  // A message of its own makes it good; so does the postback itself.
  expect(await books.outcomes(brought('signed-3', 'msg_2'))).toEqual(['booked']);
  expect(await balancesOf('signed')).toEqual(['user:signed 6.66 RUB']);
});
