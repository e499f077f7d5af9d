import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { DATABASE_GRANTS } from '@kopeck/runtime/database-users';
import { affiliateEvent, heartbeatEvent, paymentEvent } from '@kopeck/testing/build-event';
import { audit } from '../src/audit/audit.ts';
import { writeDailyReport } from '../src/daily-report.ts';
import { openBooks, type Books } from './books.ts';
import { everything } from './history.ts';

// Migrations of a release run while ledgers of the one before still book: first they only add.

const WRITTEN = Object.entries(DATABASE_GRANTS.ledger)
  .filter(([table, rights]) => rights.length > 1 || table === 'balances')
  .map(([table]) => table);
const EVENTS = everything();
const LATER = [
  ...EVENTS.slice(2, 3),
  paymentEvent('payment.paid', {
    source: 'sbp',
    paymentId: 'AD1',
    reference: 'order-1',
    paid: { asset: 'RUB', amount: '1' },
  }),
  affiliateEvent('completed', { actionId: 'by-svix', messageId: 'msg_1' }),
  heartbeatEvent(new Date('2026-10-05T12:00:00.000Z')),
];

let before: Books;
let newer: Books;
beforeAll(async () => {
  [before, newer] = await Promise.all([
    openBooks(inject('mariadbRootUrl')),
    openBooks(inject('mariadbRootUrl')),
  ]);
  for (const table of WRITTEN)
    await newer.query(`ALTER TABLE ${table} ADD COLUMN newer INT NOT NULL DEFAULT 7 FIRST`);
});
afterAll(() => Promise.all([before.close(), newer.close()]));

test('a column that a newer release has added to any table changes nothing in what is booked', async () => {
  for (const events of [EVENTS, LATER])
    expect(await newer.outcomes(...events)).toEqual(await before.outcomes(...events));
  const now = (): Date => new Date('2026-10-06T06:00:00.000Z');
  expect(await writeDailyReport({ pool: newer.pool, hour: 6, now })).toBe(true);

  for (const table of WRITTEN)
    expect(await newer.query(`SELECT DISTINCT newer FROM ${table}`), table).toEqual([{ newer: 7 }]);
  const { head, problem } = await audit(before.pool);
  expect(problem).toBeNull();
  expect(await audit(newer.pool)).toMatchObject({ head, problem });
});
