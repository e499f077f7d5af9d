import { generateKeyPairSync, randomUUID, sign, type KeyObject } from 'node:crypto';
import { Router, type RequestHandler } from 'express';
import { isRecord, textAt } from '@kopeck/core/json';
import { formatRoubles, parseRoubles } from '@kopeck/core/roubles';
import type { OpenDouble } from '../double.ts';
import type { Notification } from './deliveries.ts';
import { openDialect, type Bank, type Dialect, type DialectOptions, type Told } from './dialect.ts';
import type { Engine, Qr } from './engine.ts';
import { faulty } from './faults.ts';
import { jsonBodies, type Body } from './json-bodies.ts';
import type { Knobs } from './knobs.ts';
import type { Distortion } from './notification.ts';
import { refundQr, settleRefunds } from './refunds.ts';

export interface TochkaOptions extends DialectOptions {
  readonly token: string;
  readonly merchantId: string;
}

/** An acquirer that speaks as Tochka does: `<origin>/tochka/uapi`, and its key at `/tochka/keys`. */
export function openTochka(options: TochkaOptions): OpenDouble {
  const keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const wrong = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const keyOf = ({ signature }: Knobs): KeyObject =>
    (signature === 'good' ? keys : wrong).privateKey;
  const dialect: Dialect = {
    name: 'tochka',
    prefix: '/tochka',
    router: (bank) => tochkaRouter(bank, options, keys),
    notifications: (told, distortion) => notifications(told, distortion, keyOf(told.knobs)),
  };
  return openDialect(dialect, options);
}

const MINUTE_MS = 60_000;

function tochkaRouter(
  bank: Bank,
  { token, merchantId }: TochkaOptions,
  keys: { publicKey: KeyObject; privateKey: KeyObject },
): Router {
  const { engine, knobs } = bank;
  const words = { errorBody: error('400') };
  const router = Router();
  router.get('/keys', (_request, response) => {
    response.json(keys.publicKey.export({ format: 'jwk' }));
  });
  router.use(...jsonBodies, (request, response, next) => {
    if (request.get('authorization') === `Bearer ${token}`) return next();
    response.status(403).json(error('403'));
  });
  router.post(
    '/uapi/sbp/v1.0/qr-code/merchant/:merchant/:account/:bic',
    faulty('create', knobs, words),
    register(bank, merchantId),
  );
  router.get(
    '/uapi/sbp/v1.0/qr-codes/:ids/payment-status',
    faulty('read', knobs, words),
    (request, response) => {
      const ids = String(request.params['ids']).split(',');
      const known = engine.all().filter((qr) => ids.includes(qr.qrcId) && isTold(qr, engine));
      if (known.length === 0) return void response.status(404).json(error('404'));
      response.json({ Data: { paymentList: known.map((qr) => view(qr, knobs.current)) } });
    },
  );
  router.post('/uapi/sbp/v1.0/refund', faulty('refund', knobs, words), refund(bank));
  router.get('/uapi/sbp/v1.0/refund/:id', faulty('read', knobs, words), (request, response) => {
    const { id } = request.params;
    const qr = engine.all().find(({ refunds }) => refunds.some((one) => one.id === id));
    if (qr === undefined) return void response.status(404).json(error('404'));
    response.json({ Data: refundView(qr, String(id), knobs.current) });
  });
  router.put('/uapi/webhook/v1.0/:client', registerWebhook(bank, keys.privateKey));
  return router;
}

function register({ engine, knobs }: Bank, merchantId: string): RequestHandler {
  return (request, response) => {
    const data = dataOf(request.body);
    const [amount, ttl] = [textAt(data, 'amount') ?? '', Number(textAt(data, 'ttl') ?? '4320')];
    if (request.params['merchant'] !== merchantId)
      return void response.status(403).json(error('403'));
    if (!/^[1-9]\d{0,10}$/.test(amount) || textAt(data, 'qrcType') !== '02' || !(ttl >= 1)) {
      return void response.status(400).json(error('400'));
    }
    const expiresAt = new Date(engine.now().getTime() + ttl * MINUTE_MS);
    const order = { order: '', merchant: merchantId, kopecks: BigInt(amount), expiresAt };
    const qr = engine.register(order, knobs.current.linkStyle);
    response.json({ Data: { qrcId: qr.qrcId, payload: qr.link }, Links: {}, Meta: {} });
  };
}

const DAY_MS = 24 * 60 * MINUTE_MS;

/** During the life of the code, or for a day after it was paid. */
function isTold(qr: Qr, engine: Engine): boolean {
  const paid = qr.attempts.find(({ result }) => result === 'success');
  const until = paid === undefined ? qr.expiresAt.getTime() : paid.at.getTime() + DAY_MS;
  return engine.now().getTime() <= Math.max(until, qr.expiresAt.getTime());
}

function view(qr: Qr, { holdStatus }: Knobs): object {
  const last = holdStatus ? undefined : qr.attempts.at(-1);
  const word = last?.result === 'success' ? 'Accepted' : 'Rejected';
  const status = last === undefined ? 'NotStarted' : word;
  const trxId = last?.result === 'success' ? { trxId: trxIdOf(qr) } : {};
  return { qrcId: qr.qrcId, code: 'RQ00000', status, message: '', ...trxId };
}

function trxIdOf(qr: Qr): string {
  return `B${String(qr.attempts.at(-1)?.transactionId ?? 0).padStart(31, '0')}`;
}

/** Roubles here, kopecks above. */
function refund({ engine, knobs }: Bank): RequestHandler {
  return (request, response) => {
    const data = dataOf(request.body);
    const qr = engine.find(textAt(data, 'qrcId') ?? '');
    const kopecks = parseRoubles(textAt(data, 'amount') ?? '') ?? 0n;
    const isOurs = qr !== undefined && textAt(data, 'trxId') === trxIdOf(qr);
    const done = isOurs ? refundQr(qr, { key: null, kopecks }) : null;
    if (qr === undefined || done === null) return void response.status(400).json(error('400'));
    engine.changed();
    response.json({ Data: refundView(qr, done.id, knobs.current) });
  };
}

const REFUND_STATUS = {
  pending: 'Initiated',
  succeeded: 'Accepted',
  declined: 'Rejected',
} as const;

function refundView(qr: Qr, id: string, { refunds }: Knobs): object {
  settleRefunds(qr, refunds);
  const found = qr.refunds.find((one) => one.id === id);
  return { requestId: id, status: REFUND_STATUS[found?.status ?? 'pending'] };
}

/** The address is tried with a sample; unless that is answered 200 there is no webhook. */
function registerWebhook({ knobs, probe }: Bank, key: KeyObject): RequestHandler {
  return async (request, response) => {
    const url = textAt(request.body as Body, 'url') ?? '';
    const sample = {
      webhookType: 'incomingSbpPayment',
      qrcId: 'AS1000000000000000000000000SAMPLE',
    };
    const status = await probe(url, { qrcId: '', body: jwt(sample, key), headers: TEXT });
    if (status !== 200) return void response.status(400).json(error('400'));
    knobs.current = { ...knobs.current, callbackUrl: url };
    response.json({ Data: { result: true } });
  };
}

const TEXT = { 'Content-Type': 'text/plain' };

/** Only of successes. */
function notifications(
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
    refTransactionId: randomUUID(),
  };
  return [{ qrcId: qr.qrcId, body: jwt(claims, key), headers: TEXT }];
}

function jwt(claims: object, key: KeyObject): string {
  const encode = (json: object): string => Buffer.from(JSON.stringify(json)).toString('base64url');
  const signed = `${encode({ alg: 'RS256', typ: 'JWT' })}.${encode(claims)}`;
  return `${signed}.${sign('RSA-SHA256', Buffer.from(signed), key).toString('base64url')}`;
}

function dataOf(body: unknown): Body {
  const data = isRecord(body) ? body['Data'] : undefined;
  return isRecord(data) ? data : {};
}

function error(code: string): object {
  return { code, id: randomUUID(), message: 'Sandbox', Errors: [] };
}
