import { expect, test } from 'vitest';
import { waitFor } from '@kopeck/testing/wait-for';
import { assertSound, balances, failedJobs, query } from './rig/books.ts';
import { cryptobot, epn, fixture, orderSbp, payQr, statusSbp, telegram } from './rig/partners.ts';
import { startRig, type Rig } from './rig/rig.ts';
import { SECRETS } from './rig/secrets.ts';

/**
 * Every delivery of the fixtures, twice, in two orders, over HTTP to real processes. The list below was
 * made from the posting table by hand, with pencil and paper; no code of ours computes it.
 */
const EXPECTED = [
  // cb-invoice-paid-crypto: 4.5 USDT of which 0.135 is the fee; cb-…-fiat-swap: 2.12233676 TON, fee
  // 0.0636701028, the net 2.0586666572 swapped into 5.96684 USDT. Neither payload is one of ours.
  'provider:cryptobot 10.33184 USDT',
  'fees:cryptobot 0.135 USDT',
  'fees:cryptobot 0.0636701028 TON',
  'exchange:cryptobot -5.96684 USDT',
  'exchange:cryptobot 2.0586666572 TON',
  'suspense -4.5 USDT',
  'suspense -2.12233676 TON',
  // cb-testnet-jet
  'provider:cryptobot:test 100 JET',
  'suspense:test -100 JET',
  // tg-…-recurring-first and -renewal, 499 stars and 5000 NDN each; the one-off was refunded whole.
  'provider:telegram 998 XTR',
  'sales -998 XTR',
  'user:5123456789 10000 NDN',
  'issued:NDN -10000 NDN',
  // EPN: 770014201 completed at 93.10, 770014202 waiting at 16.81, 770015900 completed in TON.
  'provider:epn 93.1 RUB',
  'commission:epn -93.1 RUB',
  'held:epn 16.81 RUB',
  'commission-held:epn -16.81 RUB',
  'provider:epn 0.375 TON',
  'commission:epn -0.375 TON',
  // One SBP order of 100 roubles, paid.
  'provider:sbp:raiffeisen 100 RUB',
  'sales -100 RUB',
].sort();

const CRYPTOBOT = [
  'cb-malformed-truncated.txt',
  'cb-malformed-payload-null.json',
  'cb-malformed-status-active.json',
  'cb-v1-minimal.json',
  'cb-invoice-paid-crypto.json',
  'cb-invoice-paid-crypto-redelivery.json',
  'cb-invoice-paid-fiat-swap.json',
  'cb-unknown-update-type.json',
  'cb-trap-reserialise.json',
];

const TELEGRAM = [
  'tg-pre-checkout-query.json',
  'tg-successful-payment.json',
  'tg-successful-payment-recurring-first.json',
  'tg-successful-payment-recurring-renewal.json',
  'tg-refunded-payment.json',
  'tg-subscription-canceled.json',
  'tg-subscription-failed.json',
  'tg-purchased-paid-media.json',
  'tg-my-chat-member-blocked.json',
  'tg-edited-message.json',
  'tg-text-message.json',
];

const ALI = { click_id: 'u-5021.c-88f2', order_number: '8190044512207', currency: 'RUB' };
const CURL = {
  click_id: '123',
  order_number: 'ORDER-001',
  uniq_id: 'EPN-12345',
  revenue: '1500',
  commission_fee: '100',
};
const TON = {
  click_id: 'u-77.c-1',
  order_number: 'TG-5512',
  uniq_id: '770015900',
  currency: 'TON',
};

const EPN: readonly Record<string, string>[] = [
  {
    ...ALI,
    uniq_id: '770014201',
    order_status: 'waiting',
    revenue: '2349.90',
    commission_fee: '96.35',
  },
  {
    ...ALI,
    uniq_id: '770014202',
    order_status: 'waiting',
    revenue: '410.00',
    commission_fee: '16.81',
  },
  {
    ...ALI,
    uniq_id: '770014201',
    order_status: 'pending',
    revenue: '2349.90',
    commission_fee: '96.35',
  },
  {
    ...ALI,
    uniq_id: '770014201',
    order_status: 'completed',
    revenue: '2349.90',
    commission_fee: '93.10',
  },
  { ...TON, order_status: 'completed', revenue: '12.500000000', commission_fee: '0.375000000' },
];

/** Completed and then rejected is nothing; rejected and then completed is a second approval: one order. */
const REJECTED = ['waiting', 'completed', 'rejected'].map((order_status) => ({
  ...CURL,
  order_status,
}));

type Send = (rig: Rig) => Promise<{ status: number }>;

const DELIVERIES: readonly Send[] = [
  ...CRYPTOBOT.map(
    (name): Send =>
      (rig) =>
        cryptobot(rig, fixture(name)),
  ),
  (rig) => cryptobot(rig, fixture('cb-testnet-jet.json'), SECRETS.CRYPTOBOT_TESTNET_TOKEN),
  ...TELEGRAM.map(
    (name): Send =>
      (rig) =>
        telegram(rig, fixture(name)),
  ),
  ...EPN.map(
    (fields): Send =>
      (rig) =>
        epn(rig, fields),
  ),
];

async function sendAll(rig: Rig, sends: readonly Send[]): Promise<void> {
  for (const send of sends) {
    expect((await send(rig)).status).toBe(200);
    expect((await send(rig)).status).toBe(200);
  }
}

async function payOrder(rig: Rig): Promise<void> {
  const { body } = await orderSbp(rig, 'order-id-hash', '100');
  await orderSbp(rig, 'never-paid', '55.5');
  await payQr(rig, String(body['qrcId']), 100);
  await waitFor(async () => (await statusSbp(rig, 'order-id-hash')).body['status'] === 'paid');
}

test.each([
  ['as they stand', DELIVERIES],
  ['the other way round', DELIVERIES.toReversed()],
])(
  'every fixture twice, %s, ends in the books that were made by hand',
  async (_order, sends) => {
    const rig = await startRig();
    try {
      await payOrder(rig);
      await sendAll(rig, sends);
      await sendAll(
        rig,
        REJECTED.map(
          (fields): Send =>
            (each) =>
              epn(each, fields),
        ),
      );

      // What is quarantined moves no balance, and may be the last to be booked.
      const quarantined = "SELECT 1 FROM inbox WHERE outcome = 'quarantined'";
      await waitFor(async () => (await query(rig, quarantined)).length >= 3, {
        what: 'what cannot be booked',
      });
      await waitFor(async () => expect(await balances(rig)).toEqual(EXPECTED) ?? true, {
        what: 'the books',
      });
      await assertSound(rig);
      expect(await failedJobs(rig)).toBe(0);
      expect(await query(rig, quarantined)).toHaveLength(3);
      expect(await query(rig, 'SELECT 1 FROM conflicts')).toHaveLength(0);
    } finally {
      await rig.close();
    }
  },
  60_000,
);
