import { Router, type RequestHandler, type Response } from 'express';
import { isRecord, textAt } from '@kopeck/core/json';
import { formatRoubles, parseRoubles } from '@kopeck/core/roubles';
import type { OpenDouble } from '../double.ts';
import type { Notification } from './deliveries.ts';
import { GROWING_FOR_A_DAY, knobsFor, openDialect } from './dialect.ts';
import type { Bank, Dialect, DialectOptions, Told } from './dialect.ts';
import { dress } from './dress.ts';
import type { Engine, Qr, Refund } from './engine.ts';
import { faulty } from './faults.ts';
import { jsonBodies, type Body } from './json-bodies.ts';
import type { Knobs } from './knobs.ts';
import type { Distortion } from './notification.ts';
import { refundedOf, refundQr, settleRefunds } from './refunds.ts';

export interface YookassaOptions extends DialectOptions {
  readonly shopId: string;
  readonly secretKey: string;
}

/** An acquirer that speaks as YooKassa does: the API base is `<origin>/yookassa/v3`. */
export function openYookassa(options: YookassaOptions): OpenDouble {
  const dialect: Dialect = {
    name: 'yookassa',
    prefix: '/yookassa',
    paymentIdOf: idOf,
    pausesMs: GROWING_FOR_A_DAY,
    router: (bank) => yookassaRouter(bank, options),
    notifications,
  };
  return openDialect(dialect, options);
}

const HOUR_MS = 3_600_000;

function yookassaRouter(bank: Bank, { shopId, secretKey }: YookassaOptions): Router {
  const { engine, knobs } = bank;
  const credentials = `Basic ${Buffer.from(`${shopId}:${secretKey}`).toString('base64')}`;
  const words = { errorBody: error('invalid_request') };
  const router = Router();
  router.use(...jsonBodies, (request, response, next) => {
    if (request.get('authorization') === credentials) return next();
    response.status(401).json(error('invalid_credentials'));
  });
  const once = idempotent();

  router.post('/v3/payments', faulty('create', knobs, words), once, (request, response) => {
    const body = request.body as Body;
    const kopecks = parseRoubles(textAt(recordAt(body, 'amount'), 'value') ?? '') ?? 0n;
    if (kopecks < 100n) return void response.status(400).json(error('invalid_request'));
    const order = {
      order: textAt(recordAt(body, 'metadata'), 'orderId') ?? '',
      merchant: shopId,
      kopecks,
      asked: body,
      expiresAt: new Date(engine.now().getTime() + HOUR_MS),
    };
    const qr = engine.register(order, knobs.current.linkStyle);
    response.json(view(qr, engine, knobsFor(qr, bank)));
  });
  router.get('/v3/payments/:id', faulty('read', knobs, words), (request, response) => {
    const qr = engine.all().find((one) => idOf(one) === request.params['id']);
    if (qr === undefined) return void response.status(404).json(error('not_found'));
    response.json(view(qr, engine, knobsFor(qr, bank)));
  });
  router.post('/v3/refunds', faulty('refund', knobs, words), once, (request, response) => {
    const body = request.body as Body;
    const qr = engine.all().find((one) => idOf(one) === textAt(body, 'payment_id'));
    const kopecks = parseRoubles(textAt(recordAt(body, 'amount'), 'value') ?? '') ?? 0n;
    const refund = qr === undefined ? null : refundQr(qr, { key: null, kopecks });
    if (qr === undefined || refund === null) {
      return void response.status(400).json(error('invalid_request'));
    }
    settleRefunds(qr, knobs.current.refunds);
    engine.changed();
    bank.notify(qr);
    sendRefund(response, qr, refund, knobs.current);
  });
  router.get('/v3/refunds/:id', faulty('read', knobs, words), (request, response) => {
    const { id } = request.params;
    const qr = engine.all().find(({ refunds }) => refunds.some((one) => one.id === id));
    const refund = qr?.refunds.find((one) => one.id === id);
    if (qr === undefined || refund === undefined) {
      return void response.status(404).json(error('not_found'));
    }
    sendRefund(response, qr, refund, knobs.current);
  });
  return router;
}

/** The same key with the same body gets the first answer again; with another body, an error. */
function idempotent(): RequestHandler {
  const known = new Map<string, { readonly body: string; answer: unknown }>();
  return (request, response, next) => {
    const key = request.get('idempotence-key') ?? '';
    const body = JSON.stringify(request.body);
    const first = known.get(key);
    if (key === '' || (first !== undefined && first.body !== body)) {
      return void response.status(400).json(error('invalid_request'));
    }
    if (first !== undefined) return void response.json(first.answer);
    const json = response.json.bind(response);
    response.json = (answer: unknown) => {
      if (response.statusCode === 200) known.set(key, { body, answer });
      return json(answer);
    };
    next();
  };
}

type Word = 'pending' | 'succeeded' | 'canceled';

/** Unlike a bank, YooKassa cancels a payment whose payer was declined. */
function wordOf(qr: Qr, engine: Engine, { holdStatus }: Knobs): Word {
  const status = holdStatus ? engine.unpaidStatusOf(qr) : engine.statusOf(qr);
  if (status === 'paid') return 'succeeded';
  const isDeclined = !holdStatus && qr.attempts.length > 0;
  return status === 'new' && !isDeclined ? 'pending' : 'canceled';
}

function view(qr: Qr, engine: Engine, knobs: Knobs): object {
  settleRefunds(qr, knobs.refunds);
  const word = wordOf(qr, engine, knobs);
  const paid = qr.attempts.find(({ result }) => result === 'success');
  const isExpired = engine.unpaidStatusOf(qr) === 'expired';
  const reason = isExpired ? 'expired_on_confirmation' : 'general_decline';
  const more: Readonly<Record<Word, object>> = {
    pending: { confirmation: { type: 'qr', confirmation_data: qr.link } },
    succeeded: { captured_at: paid?.at, refundable: true },
    canceled: { cancellation_details: { party: 'yoo_money', reason } },
  };
  const refunded = { refunded_amount: roubles(formatRoubles(refundedOf(qr), 2)) };
  return {
    id: idOf(qr),
    status: word,
    paid: word === 'succeeded',
    amount: roubles(knobs.claimedAmount ?? formatRoubles(qr.kopecks, 2)),
    created_at: qr.createdAt,
    ...more[word],
    ...(qr.refunds.length > 0 && refunded),
    payment_method: { type: 'sbp', payer_bank_details: { bank_id: '1', bic: '2', invented: {} } },
    metadata: { orderId: qr.order },
    test: true,
  };
}

const REFUND_STATUS = { pending: 'pending', succeeded: 'succeeded', declined: 'canceled' } as const;

function sendRefund(response: Response, qr: Qr, refund: Refund, { refunds }: Knobs): void {
  settleRefunds(qr, refunds);
  response.json(refundView(qr, refund));
}

function refundView(qr: Qr, { id, status, kopecks }: Refund): object {
  const amount = roubles(formatRoubles(kopecks, 2));
  return { id, payment_id: idOf(qr), status: REFUND_STATUS[status], amount };
}

/** Of a payment, or of its newest refund once that has come through. */
function notifications(
  { qr, engine, knobs }: Told,
  { order, paymentStatus }: Distortion,
): readonly Notification[] {
  const headers = { 'Content-Type': 'application/json' };
  const send = (event: string, object: object): readonly Notification[] => {
    const told = { type: 'notification', event, object: dress({ ...object }, knobs) };
    return [{ qrcId: qr.qrcId, body: JSON.stringify(dress(told, knobs)), headers }];
  };
  const refund = qr.refunds.findLast(({ status }) => status === 'succeeded');
  if (refund !== undefined) return send('refund.succeeded', refundView(qr, refund));

  const object = view(qr, engine, { ...knobs, holdStatus: false }) as { status: string };
  const status = paymentStatus ?? object.status;
  const metadata = { orderId: order ?? qr.order };
  return send(`payment.${status}`, { ...object, status, metadata });
}

function idOf({ qrcId }: Qr): string {
  return `yk-${qrcId}`;
}

function roubles(value: string): object {
  return { value, currency: 'RUB' };
}

function recordAt(body: Body, key: string): Body {
  return isRecord(body[key]) ? body[key] : {};
}

function error(code: string): object {
  return { type: 'error', id: 'sandbox', code, description: 'Sandbox' };
}
