import { Router, type RequestHandler } from 'express';
import { textAt } from '@kopeck/core/json';
import { jsonNumber } from '@kopeck/core/json-number';
import { parseRoubles } from '@kopeck/core/roubles';
import type { OpenDouble } from '../double.ts';
import type { Notification } from './deliveries.ts';
import { openDialect, type Bank, type Dialect, type DialectOptions, type Told } from './dialect.ts';
import type { Engine, Qr, QrStatus } from './engine.ts';
import { faulty } from './faults.ts';
import { jsonBodies, type Body } from './json-bodies.ts';
import type { Knobs } from './knobs.ts';
import type { Distortion } from './notification.ts';
import { refundedOf, refundQr, settleRefunds } from './refunds.ts';
import { tokenOf } from './tbank-token.ts';

export interface TbankOptions extends DialectOptions {
  readonly terminalKey: string;
  readonly password: string;
}

/** An acquirer that speaks as T-Bank does: the API base is `<origin>/tbank/v2`. */
export function openTbank(options: TbankOptions): OpenDouble {
  const dialect: Dialect = {
    name: 'tbank',
    prefix: '/tbank',
    router: (bank) => tbankRouter(bank, options),
    notifications: (told, distortion) => notifications(told, distortion, options),
    isAcknowledged: ({ status, body }) => status === 200 && body === 'OK',
  };
  return openDialect(dialect, options);
}

/** What a call does with the payment it names; null: there is none such. */
type Act = (body: Body, bank: Bank, qr: Qr | undefined) => object | null;

const ACTS: Readonly<Record<string, readonly ['create' | 'read' | 'refund', Act]>> = {
  Init: ['create', init],
  GetQr: ['create', (_body, _bank, qr) => (qr === undefined ? null : { Data: qr.link })],
  GetState: ['read', (_body, bank, qr) => (qr === undefined ? null : stateView(qr, bank))],
  CheckOrder: ['read', checkOrder],
  Cancel: ['refund', cancel],
  SbpPayTest: ['read', payTest],
};

function tbankRouter(bank: Bank, { terminalKey, password }: TbankOptions): Router {
  const router = Router();
  router.use(...jsonBodies);
  for (const [name, [on, act]] of Object.entries(ACTS)) {
    const words = { errorBody: failure('9999') };
    router.post(`/v2/${name}`, faulty(on, bank.knobs, words), (request, response) => {
      const body = request.body as Body;
      const isOurs = body['Token'] === tokenOf(body, password);
      if (!isOurs) return void response.json(failure('204'));
      if (body['TerminalKey'] !== terminalKey) return void response.json(failure('331'));
      const id = textAt(body, 'PaymentId');
      const qr = bank.engine.all().find((one) => paymentIdOf(one, bank.engine) === id);
      const done = act(body, bank, qr);
      response.json(
        done === null
          ? failure('8')
          : {
              Success: true,
              ErrorCode: '0',
              TerminalKey: terminalKey,
              ...common(qr, bank),
              ...done,
            },
      );
    });
  }
  router.use(((_request, response) => void response.sendStatus(404)) as RequestHandler);
  return router;
}

function init(body: Body, bank: Bank): object | null {
  const { engine, knobs } = bank;
  const amount = textAt(body, 'Amount') ?? '';
  const order = textAt(body, 'OrderId') ?? '';
  const isKnown = engine.all().some((qr) => qr.order === order);
  if (!/^\d{1,10}$/.test(amount) || BigInt(amount) < 1000n || order === '' || isKnown) return null;
  const expiresAt = new Date(textAt(body, 'RedirectDueDate') ?? '');
  const qr = engine.register(
    { order, merchant: textAt(body, 'TerminalKey') ?? '', kopecks: BigInt(amount), expiresAt },
    knobs.current.linkStyle,
  );
  return { ...common(qr, bank), Status: 'NEW' };
}

function checkOrder(body: Body, bank: Bank): object {
  const payments = bank.engine.all().filter(({ order }) => order === textAt(body, 'OrderId'));
  return {
    OrderId: textAt(body, 'OrderId'),
    Payments: payments.map((qr) => stateView(qr, bank)),
  };
}

/** Of a new payment the end, of a paid one a refund, all of it when no amount is said. */
function cancel(body: Body, bank: Bank, qr: Qr | undefined): object | null {
  const { engine, knobs } = bank;
  if (qr === undefined) return null;
  if (engine.statusOf(qr) !== 'paid') return engine.cancel(qr) ? { Status: 'CANCELED' } : null;
  const kopecks = BigInt(textAt(body, 'Amount') ?? qr.kopecks);
  if (refundQr(qr, { key: null, kopecks }) === null) return null;
  settleRefunds(qr, knobs.current.refunds);
  engine.changed();
  return { Status: statusOf(qr, engine, knobs.current) };
}

function payTest(body: Body, { engine, notify }: Bank, qr: Qr | undefined): object | null {
  if (qr === undefined) return null;
  if (body['IsDeadlineExpired'] === true) engine.expire(qr);
  else {
    const isRejected = body['IsRejected'] === true;
    for (let tries = 0; tries < (isRejected ? 3 : 1); tries += 1) {
      engine.pay(qr.qrcId, isRejected ? 'declined' : 'success', null);
    }
    notify(qr);
  }
  return {};
}

const STATUS: Readonly<Record<QrStatus, string>> = {
  new: 'NEW',
  paid: 'CONFIRMED',
  cancelled: 'CANCELED',
  expired: 'DEADLINE_EXPIRED',
};

const ATTEMPTS = 3;

function statusOf(qr: Qr, engine: Engine, { holdStatus, refunds }: Knobs): string {
  settleRefunds(qr, refunds);
  if (holdStatus) return STATUS[engine.unpaidStatusOf(qr)];
  if (qr.refunds.some(({ status }) => status === 'pending')) return 'ASYNC_REFUNDING';
  const back = refundedOf(qr);
  if (back > 0n) return back >= qr.kopecks ? 'REFUNDED' : 'PARTIAL_REFUNDED';
  const declined = qr.attempts.filter(({ result }) => result === 'declined').length;
  const status = engine.statusOf(qr);
  return status === 'new' && declined >= ATTEMPTS ? 'REJECTED' : STATUS[status];
}

function stateView(qr: Qr, bank: Bank): object {
  const { engine, knobs } = bank;
  return { ...common(qr, bank), Status: statusOf(qr, engine, knobs.current) };
}

function common(qr: Qr | undefined, { engine, knobs }: Bank): object {
  if (qr === undefined) return {};
  const amount = jsonNumber(amountOf(qr, knobs.current));
  return { PaymentId: paymentIdOf(qr, engine), OrderId: qr.order, Amount: amount };
}

/** Kopecks. */
function amountOf(qr: Qr, { claimedAmount }: Knobs): string {
  return String(claimedAmount === null ? qr.kopecks : parseRoubles(claimedAmount));
}

/** A number, as the bank has them. */
function paymentIdOf(qr: Qr, engine: Engine): string {
  return String(930_560_000 + engine.all().findIndex(({ qrcId }) => qrcId === qr.qrcId));
}

/** AUTHORIZED and CONFIRMED at the same time, as one-stage terminals do. */
function notifications(
  { qr, engine, knobs }: Told,
  distortion: Distortion,
  { terminalKey, password }: TbankOptions,
): readonly Notification[] {
  const status = statusOf(qr, engine, { ...knobs, holdStatus: false });
  return (status === 'CONFIRMED' ? ['CONFIRMED', 'AUTHORIZED'] : [status]).map((word) => {
    const fields = {
      TerminalKey: terminalKey,
      OrderId: distortion.order ?? qr.order,
      Success: word !== 'REJECTED',
      Status: distortion.paymentStatus ?? word,
      PaymentId: jsonNumber(paymentIdOf(qr, engine)),
      ErrorCode: '0',
      Amount: jsonNumber(distortion.amount ?? amountOf(qr, knobs)),
      Pan: '+7 (***) ***-**-67',
      CardId: null,
    };
    const plain = {
      ...fields,
      PaymentId: paymentIdOf(qr, engine),
      Amount: distortion.amount ?? amountOf(qr, knobs),
    };
    const key = knobs.signature === 'good' ? password : `not ${password}`;
    const body = JSON.stringify({ ...fields, Token: tokenOf(plain, key), Data: { Source: 'SBP' } });
    return { qrcId: qr.qrcId, body, headers: { 'Content-Type': 'application/json' } };
  });
}

function failure(code: string): object {
  return { Success: false, ErrorCode: code, Message: 'Sandbox', Details: '' };
}
