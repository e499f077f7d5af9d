import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { heartbeatEvent, paymentEvent } from '@kopeck/testing/build-event';
import { openBooks, type Books } from './books.ts';

let books: Books;
beforeAll(async () => {
  books = await openBooks(inject('mariadbRootUrl'));
});
afterAll(() => books.close());

const at = (minute: string): Date => new Date(`2026-11-22T12:${minute}:00.000Z`);

test('a canary leaves when it set out, and nothing in the books', async () => {
  const payment = paymentEvent('payment.paid', { source: 'telegram', paymentId: 'beside' });
  expect(await books.outcomes(heartbeatEvent(at('05')), payment)).toEqual(['heartbeat', 'review']);
  expect(await books.query('SELECT sent_at FROM heartbeat')).toEqual([{ sent_at: at('05') }]);
  expect(await books.query('SELECT event_id FROM inbox')).toEqual([{ event_id: payment.id }]);
  expect(await books.query('SELECT * FROM repeats')).toEqual([]);
  expect(await books.query("SELECT * FROM outbox WHERE kind <> 'alert'")).toEqual([]);
});

test('an older one that comes later, and all of a day at once, change nothing', async () => {
  await books.book(heartbeatEvent(at('10')));
  await books.book(heartbeatEvent(at('07')));
  const older = Array.from({ length: 288 }, (_, n) => new Date(at('10').getTime() - n * 300_000));
  await books.book(...older.slice(0, 150).map(heartbeatEvent));
  await books.book(...older.slice(150).map(heartbeatEvent));
  expect(await books.query('SELECT sent_at FROM heartbeat')).toEqual([{ sent_at: at('10') }]);
});

test('what keeps money from being booked keeps a canary from being told', async () => {
  const holder = await books.pool.getConnection();
  await holder.beginTransaction();
  await holder.query('SELECT * FROM chain_head FOR UPDATE');
  let isBooked = false;
  const booking = books.book(heartbeatEvent(at('20'))).then(() => (isBooked = true));
  await books.query('SELECT SLEEP(0.3)');
  expect(isBooked).toBe(false);
  await holder.rollback();
  holder.release();
  await booking;
  expect(await books.query('SELECT sent_at FROM heartbeat')).toEqual([{ sent_at: at('20') }]);
});
