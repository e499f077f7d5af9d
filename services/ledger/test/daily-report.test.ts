import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { rebuild } from '../src/rebuild.ts';
import { writeDailyReport } from '../src/daily-report.ts';
import { openBooks, type Books } from './books.ts';
import { everything } from './history.ts';

let books: Books;
let again: Books;
beforeAll(async () => {
  books = await openBooks(inject('mariadbRootUrl'));
  again = await openBooks(inject('mariadbRootUrl'));
  await books.book(...everything());
});
afterAll(() => Promise.all([books.close(), again.close()]));

const at = (text: string, { pool }: Books = books) =>
  writeDailyReport({ pool, hour: 6, now: () => new Date(`2026-10-${text}Z`) });

test('yesterday is reported once, from the hour on, however many copies look and however often', async () => {
  expect(await at('06T05:59:59')).toBe(false);
  const looks = await Promise.all([at('06T06:00:00'), at('06T06:00:00'), at('06T06:00:00')]);
  expect(looks.filter(Boolean)).toHaveLength(1);
  expect(await at('06T23:00:00')).toBe(false);
  expect(await at('07T06:00:00')).toBe(true);

  const rows = await books.query("SELECT event_id, payload FROM outbox WHERE kind = 'mail'");
  expect(rows.map((row) => row['event_id'])).toEqual(['report.2026-10-05', 'report.2026-10-06']);
  const [first, second] = rows.map(
    (row) => JSON.parse(String(row['payload'])) as { subject: string; text: string },
  );
  expect(first?.subject).toBe('report of 2026-10-05');
  expect(first?.text).toMatch(/^sbp +main +RUB +107\.5 +0 +0 +7 +2$/m);
  expect(first?.text).toMatch(/^cryptobot +main +TON +2\.5 +0\.075 +0 +2\.5 +1$/m);
  expect(first?.text).toMatch(/^cryptobot +test +TON +2\.5 +0\.075 +0 +2\.5 +1$/m);
  expect(first?.text).toMatch(/^Reviews: \d+ wait: kopeck review list$/m);
  expect(second?.text).toContain('Nothing has reached the books.');
});

test('books that were built anew report no day a second time', async () => {
  await rebuild(books.pool, again.pool);
  expect(await at('07T08:00:00', again)).toBe(false);
});
