import { Router, type RequestHandler, type Response } from 'express';
import { textAt } from '@kopeck/core/json';
import { jsonNumber } from '@kopeck/core/json-number';
import { parseRoubles } from '@kopeck/core/roubles';
import { GROWING_FOR_A_DAY, isUnderWay, knobsFor, type Bank, type Dialect } from './dialect.ts';
import type { PayResult, Qr, QrStatus } from './engine.ts';
import { faulty } from './faults.ts';
import { jsonBodies, type Body } from './json-bodies.ts';
import {
  bankTime,
  PAYMENT_STATUS,
  raiffeisenNotification,
  shownAmount,
  type Merchant,
} from './notification.ts';
import { error, refund, refundInfo } from './raiffeisen-refund.ts';
import { readRegistration } from './register.ts';

export interface RaiffeisenBank extends Bank {
  readonly merchant: Merchant;
}

/** The API base is `<origin>/raiffeisen/api`. */
export function raiffeisenDialect(merchant: Merchant): Dialect {
  return {
    name: 'acquirer',
    provider: 'raiffeisen',
    prefix: '/raiffeisen',
    pausesMs: GROWING_FOR_A_DAY,
    router: (bank) => raiffeisenRouter({ ...bank, merchant }),
    notifications: (told, distortion) =>
      told.attempt === undefined
        ? []
        : [raiffeisenNotification({ ...told, attempt: told.attempt }, merchant, distortion)],
  };
}

const QR_STATUS: Readonly<Record<QrStatus, string>> = {
  new: 'NEW',
  paid: 'PAID',
  cancelled: 'CANCELLED',
  expired: 'EXPIRED',
};

/** The bank's paths: `/api` is the merchant's side, `/sandbox` is the payer's. */
function raiffeisenRouter(bank: RaiffeisenBank): Router {
  const router = Router();
  router.use(...jsonBodies);
  const words = { errorBody: error('INVALID_REQUEST') };
  const { knobs } = bank;

  router.post(
    '/api/sbp/v2/qrs',
    authorised(bank, 'if given'),
    faulty('create', knobs, words),
    register(bank),
  );
  const mine = [authorised(bank, 'always')];
  router.get('/api/sbp/v2/qrs/:qrId', mine, faulty('read', knobs, words), qrInfo(bank));
  router.delete('/api/sbp/v2/qrs/:qrId', mine, faulty('cancel', knobs, words), cancel(bank));
  router.get(
    '/api/sbp/v1/qr/:qrId/payment-info',
    mine,
    faulty('read', knobs, words),
    paymentInfo(bank),
  );
  router.post('/api/sbp/v1/refund', mine, faulty('refund', knobs, words), refund(bank));
  router.get(
    '/api/sbp/v1/refund/:refundId',
    mine,
    faulty('refund', knobs, words),
    refundInfo(bank),
  );
  router.post('/sandbox/nspc-mock/v01/rfuture/payment/init', pay(bank));
  router.use((request, response) => springError(response, 404, request.path));
  return router;
}

function register(bank: RaiffeisenBank): RequestHandler {
  const { engine, knobs, merchant } = bank;
  return (request, response) => {
    const order = readRegistration(request.body as Body, engine, merchant.sbpMerchantId);
    if (typeof order === 'string') return void response.json(error(order));
    response.json(view(bank, engine.register(order, knobs.current.linkStyle)));
  };
}

function qrInfo(bank: Bank): RequestHandler<{ qrId: string }> {
  return (request, response) => {
    const qr = bank.engine.find(request.params.qrId);
    response.json(qr === undefined ? error('NOT_FOUND') : view(bank, qr));
  };
}

function cancel({ engine }: Bank): RequestHandler<{ qrId: string }> {
  return (request, response) => {
    const qr = engine.find(request.params.qrId);
    if (qr === undefined) return void response.json(error('NOT_FOUND'));
    response.json(engine.cancel(qr) ? {} : error('INVALID_REQUEST'));
  };
}

function paymentInfo(bank: RaiffeisenBank): RequestHandler<{ qrId: string }> {
  const { engine, merchant } = bank;
  return (request, response) => {
    const qr = engine.find(request.params.qrId);
    if (qr === undefined) return void response.json(error('NOT_FOUND'));

    const knobs = knobsFor(qr, bank);
    const last = knobs.holdStatus ? undefined : qr.attempts.at(-1);
    const unpaid = isUnderWay(qr, knobs) ? 'IN_PROGRESS' : 'NO_INFO';
    response.json({
      code: 'SUCCESS',
      amount: jsonNumber(shownAmount(qr, knobs)),
      currency: 'RUB',
      order: qr.order,
      qrId: qr.qrcId,
      merchantId: jsonNumber(merchant.merchantId),
      sbpMerchantId: merchant.sbpMerchantId,
      createDate: bankTime(qr.createdAt, 0),
      qrExpirationDate: bankTime(qr.expiresAt, 0),
      paymentStatus: last === undefined ? unpaid : PAYMENT_STATUS[last.result],
      ...(last && { transactionId: last.transactionId, transactionDate: bankTime(last.at, 6) }),
    });
  };
}

const REFUSED: Readonly<Record<(PayResult & { kind: 'refused' })['why'], number>> = {
  unknown: 404,
  'wrong-amount': 400,
  'already-paid': 409,
  cancelled: 409,
  expired: 409,
};

/** The payer's bank, as the acquirer's own sandbox offers it; `decline: true` is ours. */
function pay({ engine, notify }: Bank): RequestHandler {
  return (request, response) => {
    const body = request.body as Body;
    const amount = textAt(body, 'amount');
    const kopecks = amount === null ? null : (parseRoubles(amount) ?? -1n);
    const result = body['decline'] === true ? 'declined' : 'success';

    const paid = engine.pay(textAt(body, 'qrId') ?? '', result, kopecks);
    if (paid.kind === 'refused') {
      const message = `The payment is refused: ${paid.why}`;
      response.status(REFUSED[paid.why]).json({ code: 'ERROR.INVALID_REQUEST', message });
      return;
    }
    notify(paid.qr);
    const { transactionId } = paid.attempt;
    response.json({ code: 'SUCCESS', transactionId, paymentStatus: PAYMENT_STATUS[result] });
  };
}

/** Registration works without a key, so that a web page may call it; a wrong key never works. */
function authorised({ merchant }: RaiffeisenBank, when: 'always' | 'if given'): RequestHandler {
  return (request, response, next) => {
    const given = request.get('authorization');
    const isFree = when === 'if given' && given === undefined;
    if (isFree || given === `Bearer ${merchant.secretKey}`) return next();
    springError(response, 401, request.path);
  };
}

function view(bank: Bank, qr: Qr): object {
  const { engine, origin } = bank;
  const knobs = knobsFor(qr, bank);
  const status = knobs.holdStatus ? engine.unpaidStatusOf(qr) : engine.statusOf(qr);
  return {
    qrId: qr.qrcId,
    qrStatus: isUnderWay(qr, knobs) ? 'IN_PROGRESS' : QR_STATUS[status],
    qrExpirationDate: bankTime(qr.expiresAt, 0),
    payload: qr.link,
    qrUrl: `${origin()}/raiffeisen/api/sbp/v1/qr/${qr.qrcId}/image`,
  };
}

function springError(response: Response, status: number, path: string): void {
  const words: Readonly<Record<number, string>> = { 401: 'Unauthorized', 404: 'Not Found' };
  response.status(status).json({ status, error: words[status], message: '', path });
}
