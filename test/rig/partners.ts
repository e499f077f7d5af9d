import { createHash, createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { SECRETS } from './secrets.ts';
import type { Rig } from './rig.ts';

export interface Answer {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly body: Readonly<Record<string, unknown>>;
}

const FIXTURES = new URL('../../services/crypto/test/fixtures/', import.meta.url);

/** The bytes of a partner's request, as they come. */
export function fixture(name: string): Buffer {
  return readFileSync(new URL(name, FIXTURES));
}

export function cryptobot(
  rig: Rig,
  body: Buffer | string,
  token: string = SECRETS.CRYPTOBOT_TOKEN,
): Promise<Answer> {
  const key = createHash('sha256').update(token).digest();
  const signature = createHmac('sha256', key).update(body).digest('hex');
  return post(`${rig.url.crypto}/webhook/cryptobot`, body, {
    'crypto-pay-api-signature': signature,
  });
}

export function telegram(rig: Rig, body: Buffer | string): Promise<Answer> {
  const secret = SECRETS.TELEGRAM_WEBHOOK_SECRET;
  return post(`${rig.url.crypto}/webhook/telegram`, body, {
    'x-telegram-bot-api-secret-token': secret,
  });
}

/** One star payment of 150 XTR that credits 1500 NDN. */
export function stars(rig: Rig, chargeId: string, user = '5123456789'): Promise<Answer> {
  return telegram(rig, starsBody(chargeId, user));
}

function starsBody(chargeId: string, user: string): string {
  const from = { id: Number(user), is_bot: false, first_name: 'Мария' };
  return JSON.stringify({
    update_id: 1,
    message: {
      message_id: 1,
      from,
      chat: { id: from.id, type: 'private' },
      date: 1_791_206_105,
      successful_payment: {
        currency: 'XTR',
        total_amount: 150,
        invoice_payload: JSON.stringify({ telegram_id: from.id, amount_ndn: 1500 }),
        telegram_payment_charge_id: chargeId,
        provider_payment_charge_id: '',
      },
    },
  });
}

export function epn(rig: Rig, fields: Readonly<Record<string, string>>): Promise<Answer> {
  const query = new URLSearchParams(fields).toString();
  return ask(`${rig.url.epn}/webhook/${SECRETS.EPN_SECRET_TOKEN}?${query}`);
}

/** A shop orders a QR code, and its buyer pays it. */
export function orderSbp(rig: Rig, orderId: string, amount: string): Promise<Answer> {
  return post(`${rig.url.sbp}/api/payment`, `{"amount":${amount},"orderId":"${orderId}"}`, shop());
}

export function statusSbp(rig: Rig, orderId: string): Promise<Answer> {
  return ask(`${rig.url.sbp}/api/status/${orderId}`, { headers: shop() });
}

export function refundSbp(rig: Rig, orderId: string, amount: string): Promise<Answer> {
  const body = `{"amount":${amount},"refundId":"back"}`;
  return post(`${rig.url.sbp}/api/payment/${orderId}/refund`, body, shop());
}

/** A program of the operator's orders an invoice of CryptoBot's, or a link to pay in Stars. */
export function orderInvoice(rig: Rig, of: 'crypto' | 'stars', body: object): Promise<Answer> {
  const headers = { authorization: `Bearer ${SECRETS.CRYPTO_API_TOKEN}` };
  return post(`${rig.url.crypto}/api/${of}/invoice`, JSON.stringify(body), headers);
}

export function payQr(rig: Rig, qrId: string, amount: number): Promise<Answer> {
  const url = `${rig.sandboxUrl}/raiffeisen/sandbox/nspc-mock/v01/rfuture/payment/init`;
  return post(url, JSON.stringify({ qrId, amount }), {});
}

export function refreshConfigs(rig: Rig, purchaseId: string): Promise<Answer> {
  const headers = { authorization: `Bearer ${SECRETS.ADMIN_API_KEY}` };
  return ask(`${rig.url.admin}/admin/update_configs/${purchaseId}`, { method: 'POST', headers });
}

/** What the ledger says. */
export function ledger(rig: Rig, path: string): Promise<Answer> {
  return ask(`${rig.url.ledger}${path}`, {
    headers: { authorization: `Bearer ${SECRETS.LEDGER_API_TOKEN}` },
  });
}

function shop(): Record<string, string> {
  return { authorization: `Bearer ${SECRETS.WEBHOOK_API_TOKEN}` };
}

function post(
  url: string,
  body: Buffer | string,
  headers: Record<string, string>,
): Promise<Answer> {
  const content = { 'content-type': 'application/json', ...headers };
  return ask(url, { method: 'POST', headers: content, body: Buffer.from(body) });
}

async function ask(url: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(url, init);
  const text = await response.text();
  return {
    status: response.status,
    retryAfter: response.headers.get('retry-after'),
    body: (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>,
  };
}
