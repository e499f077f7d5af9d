import { createHash, createHmac } from 'node:crypto';
import { createConnection, type RowDataPacket } from 'mysql2/promise';
import { orderSbp } from '../test/rig/partners.ts';
import type { Name, Rig } from '../test/rig/rig.ts';
import { SECRETS } from '../test/rig/secrets.ts';
import type { Message } from './http-load.ts';

/** A door that a partner knocks at. */
export interface Receiver {
  readonly name: string;
  readonly service: Name;
  /** Where the bytes are fsynced before the answer. */
  readonly keeps: 'journal' | 'database';
  /** Made before it is measured; each event is another one than all before. */
  readonly messageOf: (index: number) => Message;
}

const ORDERS = 50;

/** Signed as the partners sign. SBP's callbacks are about orders, so some are made first. */
export async function receiversOf(rig: Rig): Promise<readonly Receiver[]> {
  const attempts = await orderSome(rig);
  const callback = (index: number): Message => bankCallback(attempts[index % ORDERS] ?? '');
  return [
    { name: 'epn', service: 'epn', keeps: 'journal', messageOf: postback },
    { name: 'cryptobot', service: 'crypto', keeps: 'journal', messageOf: invoice },
    { name: 'telegram', service: 'crypto', keeps: 'journal', messageOf: stars },
    { name: 'sbp', service: 'sbp', keeps: 'database', messageOf: callback },
  ];
}

function postback(index: number): Message {
  const fields = {
    click_id: `u-${index % 500}`,
    order_number: `${8_190_044_512_207 + index}`,
    uniq_id: `${770_014_201 + index}`,
    order_status: 'waiting',
    offer_name: 'AliExpress RU&CIS',
    offer_type: 'aliexpress',
    offer_id: '1',
    revenue: '2349.90',
    commission_fee: '96.35',
    currency: 'RUB',
    click_time: '2026-03-11 18:02:41',
    time_of_order: '2026-03-11 18:40:07',
  };
  const query = new URLSearchParams(fields).toString();
  return { method: 'GET', path: `/webhook/${SECRETS.EPN_SECRET_TOKEN}?${query}` };
}

const CRYPTOBOT_KEY = createHash('sha256').update(SECRETS.CRYPTOBOT_TOKEN).digest();

function invoice(index: number): Message {
  const body = JSON.stringify({
    update_id: index,
    update_type: 'invoice_paid',
    request_date: '2026-10-05T12:35:05.000Z',
    payload: {
      invoice_id: 1_000_000 + index,
      status: 'paid',
      currency_type: 'crypto',
      asset: 'USDT',
      amount: '4.5',
      paid_at: '2026-10-05T12:35:02.266Z',
      payload: 'no order of ours',
    },
  });
  const signature = createHmac('sha256', CRYPTOBOT_KEY).update(body).digest('hex');
  return post('/webhook/cryptobot', body, { 'crypto-pay-api-signature': signature });
}

function stars(index: number): Message {
  const user = 5_000 + (index % 500);
  const body = JSON.stringify({
    update_id: index,
    message: {
      message_id: 1,
      from: { id: user, is_bot: false, first_name: 'Мария' },
      chat: { id: user, type: 'private' },
      date: 1_791_206_105,
      successful_payment: {
        currency: 'XTR',
        total_amount: 150,
        invoice_payload: JSON.stringify({ telegram_id: user, amount_ndn: 1500 }),
        telegram_payment_charge_id: `bench-charge-${index}`,
        provider_payment_charge_id: '',
      },
    },
  });
  return post('/webhook/telegram', body, {
    'x-telegram-bot-api-secret-token': SECRETS.TELEGRAM_WEBHOOK_SECRET,
  });
}

/** The bank says that an order was paid; what is answered is only that its look is due now. */
function bankCallback(order: string): Message {
  const fields = {
    amount: 10,
    sbpMerchantId: SECRETS.RAIFFEISEN_SBP_MERCHANT_ID,
    order,
    paymentStatus: 'SUCCESS',
    transactionDate: '2026-10-05T12:35:02.266Z',
  };
  const signature = createHmac('sha256', SECRETS.RAIFFEISEN_SECRET_KEY)
    .update(Object.values(fields).join('|'))
    .digest('hex');
  return post('/webhook/sbp/raiffeisen', JSON.stringify(fields), {
    'x-api-signature-sha256': signature,
  });
}

function post(path: string, body: string, headers: Readonly<Record<string, string>>): Message {
  return {
    method: 'POST',
    path,
    headers: { 'content-type': 'application/json', ...headers },
    body,
  };
}

/** Ids by which the bank knows the orders. */
async function orderSome(rig: Rig): Promise<readonly string[]> {
  for (let at = 0; at < ORDERS; at += 1) await orderSbp(rig, `bench-${at}`, '10');
  const database = await createConnection(rig.databaseUrl);
  const [rows] = await database.query<RowDataPacket[]>('SELECT attempt_id FROM sbp_orders');
  await database.end();
  return rows.map((row) => String(row['attempt_id']));
}
