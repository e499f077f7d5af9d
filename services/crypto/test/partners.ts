import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { KopeckEvent } from '@kopeck/core/event';
import { receive, type Outcome } from '@kopeck/core/receive';
import type { Delivery, Source } from '@kopeck/core/source';
import { deliveryOf } from '@kopeck/testing/delivery';
import { sign } from '../src/cryptobot/verify.ts';

const FOLDER = new URL('./fixtures/', import.meta.url);

/** The bytes that the partner sends; the signatures cover exactly these. */
export function fixture(name: string): Buffer {
  return readFileSync(new URL(name, FOLDER));
}

interface Vectors {
  readonly TOKEN: string;
  readonly key_hex: string;
  readonly wrong_hexkey_sig_for_v1: string;
  readonly wrong_tokenkey_sig_for_v1: string;
  readonly out: Readonly<Record<string, { readonly bytes: number; readonly sig: string }>>;
}

export const VECTORS = JSON.parse(fixture('vectors.json').toString()) as Vectors;
export const MAIN_TOKEN = VECTORS.TOKEN;
export const SHOP_TOKEN = '20202:AAanotherShopOfTheSameOperator01234';
export const TESTNET_TOKEN = '40400:AAtestnetTokenForUnitTestsOnly01234';

export const BOT_TOKEN = '7000000001:AAbotTokenForUnitTestsOnly_0123456789';
export const BOT_SECRET = 'test_Secret-123';
/** Of the operator's own programs. */
export const API_TOKEN = 'the-token-of-the-shop-itself-0123456789';
export const OLD_BOT_SECRET = 'the-secret-before-this-one';

/** What Crypto Pay's header holds for these bytes and this app. */
export function signatureOf(body: Buffer, token = MAIN_TOKEN): string {
  return sign(body, createHash('sha256').update(token).digest()).toString('hex');
}

export function fromCryptoPay(body: Buffer, signature = signatureOf(body)): Delivery {
  return deliveryOf({
    path: '/webhook/cryptobot',
    headers: { 'crypto-pay-api-signature': signature },
    body,
  });
}

export function fromTelegram(body: Buffer, secret = BOT_SECRET): Delivery {
  return deliveryOf({
    path: '/webhook/telegram',
    headers: { 'x-telegram-bot-api-secret-token': secret },
    body,
  });
}

export async function outcomeOf<P, N, Q>(
  source: Source<P, N, Q>,
  delivery: Delivery,
): Promise<Outcome<Q>> {
  return receive(source, delivery, async () => 'accepted');
}

export async function eventOf<P, N, Q>(
  source: Source<P, N, Q>,
  delivery: Delivery,
): Promise<KopeckEvent> {
  const outcome = await outcomeOf(source, delivery);
  if (outcome.kind === 'accepted' || outcome.kind === 'quarantined') return outcome.event;
  throw new Error(`no event but ${JSON.stringify(outcome)}`);
}
