import { createHash } from 'node:crypto';
import { cryptobot, epn, telegram, type Answer } from '../rig/partners.ts';
import type { Rig } from '../rig/rig.ts';
import { SECRETS } from '../rig/secrets.ts';
import type { Random } from './random.ts';
import { contentOf, idOf, type Known } from './truth.ts';

/** One thing that happened at a partner's, which it tells once or twenty times. */
export interface PartnerEvent extends Known {
  /** A partner that repeats what was refused; the others tell it as often as they do, and that is all. */
  readonly insists: boolean;
  /** Each telling may differ in what does not matter. */
  readonly tell: (rig: Rig, telling: number) => Promise<Answer>;
}

/** What one payer does: events that belong together. The number makes it unlike any other. */
export function nextEvents(random: Random, number: number): readonly PartnerEvent[] {
  const make = random.pick([stars, starsTwice, invoice, senselessInvoice, action, action]);
  return make(random, `${number}`);
}

function stars(random: Random, number: string): readonly PartnerEvent[] {
  const payment = { charge: `charge-${number}`, user: 5_000 + random.whole(0, 99), stars: 150 };
  const paid = starPayment('payment.paid', payment);
  return random.part() < 0.3 ? [paid, starPayment('payment.refunded', payment)] : [paid];
}

/** One payload, paid twice, and both given back: neither the payload nor the order is a key. */
function starsTwice(random: Random, number: string): readonly PartnerEvent[] {
  const user = 6_000 + random.whole(0, 99);
  const both = ['a', 'b'].map((each) => ({ charge: `twice-${number}-${each}`, user, stars: 10 }));
  const refunds = random.part() < 0.5 ? both : [];
  return [
    ...both.map((payment) => starPayment('payment.paid', payment)),
    ...refunds.map((payment) => starPayment('payment.refunded', payment)),
  ];
}

export interface StarPayment {
  readonly charge: string;
  readonly user: number;
  readonly stars: number;
  /** What it pays; unset: credits, by the payload of the bot's own. */
  readonly orderId?: string;
}

export function starPayment(
  type: 'payment.paid' | 'payment.refunded',
  { charge, user, stars: amount, orderId }: StarPayment,
): PartnerEvent {
  const [bot = ''] = SECRETS.TELEGRAM_BOT_TOKEN.split(':');
  const key = type === 'payment.paid' ? 'successful_payment' : 'refunded_payment';
  const payment = {
    currency: 'XTR',
    total_amount: amount,
    invoice_payload: orderId ?? JSON.stringify({ telegram_id: user, amount_ndn: amount * 10 }),
    telegram_payment_charge_id: charge,
    provider_payment_charge_id: '',
  };
  const from = { id: user, is_bot: false, first_name: 'Мария' };
  const date = 1_791_206_105 + (type === 'payment.paid' ? 0 : 60);
  return {
    id: idOf('telegram', type, [bot, charge]),
    content: contentOf(`${amount} XTR`, orderId),
    insists: true,
    tell(rig, telling) {
      // A bot that is moved to another webhook hears its updates again, under new numbers.
      const message = { message_id: telling, from, chat: { id: user, type: 'private' }, date };
      const update = { update_id: telling, message: { ...message, [key]: payment } };
      return telegram(rig, JSON.stringify(update));
    },
  };
}

/** Amounts that a double cannot add up for long: nine digits before the point, and two after it. */
function invoice(random: Random, number: string): readonly PartnerEvent[] {
  const amount = `${random.whole(100_000_000, 999_999_999)}.${random.whole(11, 89)}`;
  return [paidInvoice(number, amount.replace(/0$/, ''))];
}

/** Cut off in the middle, and then whole: the first must not take the place of the second. */
function senselessInvoice(_random: Random, number: string): readonly PartnerEvent[] {
  const body = invoiceBody(number, '5', 0).slice(0, -3);
  const raw = createHash('sha256').update(body).digest('hex');
  const senseless: PartnerEvent = {
    id: idOf('cryptobot', 'quarantined', [raw]),
    content: 'quarantined',
    insists: true,
    tell: (rig) => cryptobot(rig, body),
  };
  return [senseless, paidInvoice(number, '5')];
}

function paidInvoice(number: string, amount: string): PartnerEvent {
  const [app = ''] = SECRETS.CRYPTOBOT_TOKEN.split(':');
  return {
    id: idOf('cryptobot', 'payment.paid', [app, 'main', number]),
    content: `${amount} USDT`,
    insists: true,
    tell: (rig, telling) => cryptobot(rig, invoiceBody(number, amount, telling)),
  };
}

/** The date of the request is another one in each redelivery. */
function invoiceBody(number: string, amount: string, telling: number): string {
  const request = new Date(Date.UTC(2026, 9, 5, 12, 35, telling)).toISOString();
  return JSON.stringify({
    update_id: Number(number),
    update_type: 'invoice_paid',
    request_date: request,
    payload: {
      invoice_id: Number(number),
      status: 'paid',
      currency_type: 'crypto',
      asset: 'USDT',
      amount,
      paid_at: '2026-10-05T12:35:02.266Z',
      payload: 'no order of ours',
    },
  });
}

const STATUSES = ['waiting', 'pending', 'completed', 'rejected'] as const;

/** An affiliate action in one to four of its statuses; half of those who send them never repeat. */
function action(random: Random, number: string): readonly PartnerEvent[] {
  const commission = `${random.whole(1, 999)}.${random.whole(0, 9)}${random.whole(1, 9)}`;
  const uniqId = `action-${number}`;
  return STATUSES.filter(() => random.part() < 0.5).map((status) => {
    const fields = {
      uniq_id: uniqId,
      click_id: `click-${number}`,
      order_number: `order-${number}`,
      order_status: status,
      commission_fee: commission,
      currency: 'RUB',
    };
    return {
      id: idOf('epn', `affiliate.${status}`, ['epn_bz', uniqId, '', commission, 'RUB']),
      content: `${commission} RUB`,
      insists: random.part() < 0.5,
      tell: (rig) => epn(rig, fields),
    };
  });
}
