import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { noLog } from '@kopeck/runtime/log';
import { createMetrics } from '@kopeck/runtime/metrics';
import { orderEvent, paymentEvent } from '@kopeck/testing/build-event';
import { tellUnexplained } from '../src/unexplained.ts';
import { openBooks, type Books } from './books.ts';

const LATER_MS = 90_000;

let books: Books;
beforeAll(async () => (books = await openBooks(inject('mariadbRootUrl'))));
afterAll(() => books.close());

/** 'source payments older-than-a-minute', as Prometheus reads them. */
async function figures(): Promise<readonly string[]> {
  const metrics = createMetrics('ledger');
  const now = (): Date => new Date(Date.now() + LATER_MS);
  await tellUnexplained({ pool: books.pool, metrics, log: noLog, now });
  const text = await metrics.text();
  return ['sbp', 'cryptobot', 'telegram'].map((source) => {
    const valueOf = (name: string): number =>
      Number(new RegExp(`^${name}{source="${source}".*} (\\S+)$`, 'm').exec(text)?.[1]);
    const isOld = valueOf('kopeck_unexplained_oldest_seconds') > 60;
    return `${source} ${valueOf('kopeck_unexplained_payments')} ${isOld}`;
  });
}

test('payments that nothing explains are counted by source, with the age of the oldest', async () => {
  const price = { asset: 'XTR', amount: '150' };
  const stars = { source: 'telegram', paid: price } as const;
  await books.book(
    paymentEvent('payment.paid', { ...stars, paymentId: 'a', reference: 'kp_1' }),
    paymentEvent('payment.paid', { ...stars, paymentId: 'b', reference: 'a foreign payload' }),
    paymentEvent('payment.paid', { source: 'cryptobot', paymentId: 'c', paid: price }),
    paymentEvent('payment.failed', { source: 'sbp', paymentId: 'd' }),
  );
  expect(await figures()).toEqual(['sbp 0 false', 'cryptobot 1 true', 'telegram 2 true']);
  await books.book(orderEvent('crypto', { orderId: 'kp_1', price }));
  expect(await figures()).toEqual(['sbp 0 false', 'cryptobot 1 true', 'telegram 1 true']);
});
