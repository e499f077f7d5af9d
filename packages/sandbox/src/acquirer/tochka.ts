import { Router, type RequestHandler } from 'express';
import { isRecord, textAt } from '@kopeck/core/json';
import { parseRoubles } from '@kopeck/core/roubles';
import type { OpenDouble } from '../double.ts';
import {
  isUnderWay,
  knobsFor,
  openDialect,
  type Bank,
  type Dialect,
  type DialectOptions,
} from './dialect.ts';
import type { Engine, Qr } from './engine.ts';
import { faulty } from './faults.ts';
import { jsonBodies, type Body } from './json-bodies.ts';
import type { Knobs } from './knobs.ts';
import { refundQr, settleRefunds } from './refunds.ts';
import {
  error,
  made,
  notifications,
  ownIdOf,
  registerWebhook,
  trxIdOf,
  type MakeKeys,
} from './tochka-notification.ts';

export interface TochkaOptions extends DialectOptions {
  readonly token: string;
  readonly merchantId: string;
  readonly customerCode: string;
}

/** An acquirer that speaks as Tochka does: `<origin>/tochka/uapi`, and its key at `/tochka/keys`. */
export function openTochka(options: TochkaOptions): OpenDouble {
  const keys = { good: made(), wrong: made() };
  const dialect: Dialect = {
    name: 'tochka',
    prefix: '/tochka',
    pausesMs: Array.from({ length: 30 }, () => 10_000),
    router: (bank) => tochkaRouter(bank, options, keys.good),
    notifications: (told, distortion) =>
      notifications(told, distortion, keys[told.knobs.signature]().privateKey),
  };
  return openDialect(dialect, options);
}

const MINUTE_MS = 60_000;

function tochkaRouter(bank: Bank, options: TochkaOptions, keys: MakeKeys): Router {
  const { engine, knobs } = bank;
  const { token, merchantId } = options;
  const words = { errorBody: error('400') };
  const router = Router();
  router.get('/keys', (_request, response) => {
    response.json(keys().publicKey.export({ format: 'jwk' }));
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
      response.json({ Data: { paymentList: known.map((qr) => view(qr, knobsFor(qr, bank))) } });
    },
  );
  router.get(
    '/uapi/sbp/v1.0/get-sbp-payments',
    faulty('read', knobs, words),
    history(bank, options),
  );
  router.post('/uapi/sbp/v1.0/refund', faulty('refund', knobs, words), refund(bank));
  router.get('/uapi/sbp/v1.0/refund/:id', faulty('read', knobs, words), (request, response) => {
    const { id } = request.params;
    const qr = engine.all().find(({ refunds }) => refunds.some((one) => one.id === id));
    if (qr === undefined) return void response.status(404).json(error('404'));
    response.json({ Data: refundView(qr, String(id), knobs.current) });
  });
  router.put('/uapi/webhook/v1.0/:client', registerWebhook(bank, keys));
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
    const order = {
      order: '',
      merchant: merchantId,
      kopecks: BigInt(amount),
      asked: data,
      expiresAt,
    };
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

/** Of payments of any age, on the days that are asked for; without a day, of yesterday and today. */
function history(bank: Bank, { customerCode }: TochkaOptions): RequestHandler {
  const { engine } = bank;
  return (request, response) => {
    const { customerCode: customer, qrcId, fromDate } = request.query;
    if (customer !== customerCode) return void response.status(403).json(error('403'));
    const yesterday = new Date(engine.now().getTime() - DAY_MS).toISOString().slice(0, 10);
    const from = typeof fromDate === 'string' ? fromDate : yesterday;
    const paid = engine.all().filter((qr) => {
      const at = qr.attempts.find(({ result }) => result === 'success')?.at.toISOString();
      return at !== undefined && at.slice(0, 10) >= from && (qrcId ?? qr.qrcId) === qr.qrcId;
    });
    const Payments = paid.map((qr) => {
      return { qrcId: qr.qrcId, status: view(qr, knobsFor(qr, bank)).status, ...ownIdOf(qr) };
    });
    response.json({ Data: { Payments }, Links: {}, Meta: { totalPages: 1 } });
  };
}

interface View {
  readonly qrcId: string;
  readonly code: string;
  readonly status: string;
  readonly message: string;
  readonly trxId?: string;
}

function view(qr: Qr, knobs: Knobs): View {
  const last = knobs.holdStatus ? undefined : qr.attempts.at(-1);
  const word = last?.result === 'success' ? 'Accepted' : 'Rejected';
  const unpaid = isUnderWay(qr, knobs) ? 'InProgress' : 'NotStarted';
  const status = last === undefined ? unpaid : word;
  const trxId = last?.result === 'success' ? { trxId: trxIdOf(qr) } : {};
  return { qrcId: qr.qrcId, code: 'RQ00000', status, message: '', ...trxId };
}

/** Roubles here, kopecks above. */
function refund({ engine, knobs }: Bank): RequestHandler {
  return (request, response) => {
    const data = dataOf(request.body);
    const qr = engine.find(textAt(data, 'qrcId') ?? '');
    const kopecks = parseRoubles(textAt(data, 'amount') ?? '') ?? 0n;
    const isOurs = qr !== undefined && isOperationOf(qr, data);
    const done = isOurs ? refundQr(qr, { key: null, kopecks }) : null;
    if (qr === undefined || done === null) return void response.status(400).json(error('400'));
    engine.changed();
    response.json({ Data: refundView(qr, done.id, knobs.current) });
  };
}

/** By either of its numbers. */
function isOperationOf(qr: Qr, data: Body): boolean {
  const { refTransactionId } = ownIdOf(qr);
  return (
    textAt(data, 'trxId') === trxIdOf(qr) || textAt(data, 'refTransactionId') === refTransactionId
  );
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

function dataOf(body: unknown): Body {
  const data = isRecord(body) ? body['Data'] : undefined;
  return isRecord(data) ? data : {};
}
