import { generateKeyPairSync, randomUUID, sign, type KeyObject } from 'node:crypto';
import type { RequestHandler } from 'express';
import { textAt } from '@kopeck/core/json';
import { formatRoubles } from '@kopeck/core/roubles';
import type { Notification } from './deliveries.ts';
import type { Bank, Told } from './dialect.ts';
import { dress } from './dress.ts';
import type { Qr } from './engine.ts';
import type { Body } from './json-bodies.ts';
import type { Distortion } from './notification.ts';

export interface Keys {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

export type MakeKeys = () => Keys;

/** An RSA key takes its time, and most who open a bank never ask for it. */
export function made(): MakeKeys {
  let keys: Keys | undefined;
  return () => (keys ??= generateKeyPairSync('rsa', { modulusLength: 2048 }));
}

/** The address is tried with a sample; unless that is answered 200 there is no webhook. */
export function registerWebhook({ knobs, probe }: Bank, keys: MakeKeys): RequestHandler {
  return async (request, response) => {
    const url = textAt(request.body as Body, 'url') ?? '';
    const sample = {
      webhookType: 'incomingSbpPayment',
      qrcId: 'AS1000000000000000000000000SAMPLE',
    };
    const status = await probe(url, {
      qrcId: '',
      body: jwt(sample, keys().privateKey),
      headers: TEXT,
    });
    if (status !== 200) return void response.status(400).json(error('400'));
    knobs.current = { ...knobs.current, callbackUrl: url };
    response.json({ Data: { result: true } });
  };
}

const TEXT = { 'Content-Type': 'text/plain' };

/** Only of successes. */
export function notifications(
  { qr, attempt, knobs }: Told,
  { amount, qrId }: Distortion,
  key: KeyObject,
): readonly Notification[] {
  if (attempt?.result !== 'success') return [];
  const claims = {
    operationId: trxIdOf(qr),
    qrcId: qrId ?? qr.qrcId,
    amount: amount ?? knobs.claimedAmount ?? formatRoubles(qr.kopecks, 2),
    payerMobileNumber: '70000000000',
    payerName: 'Иван И.',
    merchantId: qr.merchant,
    webhookType: 'incomingSbpPayment',
    ...ownIdOf(qr),
  };
  return [{ qrcId: qr.qrcId, body: jwt(dress(claims, knobs), key), headers: TEXT }];
}

function jwt(claims: object, key: KeyObject): string {
  const encode = (json: object): string => Buffer.from(JSON.stringify(json)).toString('base64url');
  const signed = `${encode({ alg: 'RS256', typ: 'JWT' })}.${encode(claims)}`;
  return `${signed}.${sign('RSA-SHA256', Buffer.from(signed), key).toString('base64url')}`;
}

export function trxIdOf(qr: Qr): string {
  return `B${String(qr.attempts.at(-1)?.transactionId ?? 0).padStart(31, '0')}`;
}

/** The bank's own number of the operation. */
export function ownIdOf(qr: Qr): { readonly refTransactionId: string } {
  return { refTransactionId: `own-${qr.attempts.at(-1)?.transactionId ?? 0}` };
}

export function error(code: string): object {
  return { code, id: randomUUID(), message: 'Sandbox', Errors: [] };
}
