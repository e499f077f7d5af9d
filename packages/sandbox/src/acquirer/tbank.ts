import { Router, type RequestHandler } from 'express';
import { textAt } from '@kopeck/core/json';
import type { OpenDouble } from '../double.ts';
import { openDialect, type Bank, type Dialect, type DialectOptions } from './dialect.ts';
import type { Qr } from './engine.ts';
import { faulty } from './faults.ts';
import { jsonBodies, type Body } from './json-bodies.ts';
import { refundQr, settleRefunds } from './refunds.ts';
import { notifications, type Terminal } from './tbank-notification.ts';
import { common, paymentIdOf, statusOf, stateView } from './tbank-payment.ts';
import { tokenOf } from './tbank-token.ts';

export interface TbankOptions extends DialectOptions, Terminal {}

/** An acquirer that speaks as T-Bank does: the API base is `<origin>/tbank/v2`. */
export function openTbank(options: TbankOptions): OpenDouble {
  const dialect: Dialect = {
    name: 'tbank',
    prefix: '/tbank',
    paymentIdOf,
    pausesMs: HOURLY_THEN_DAILY,
    router: (bank) => tbankRouter(bank, options),
    notifications: (told, distortion) => notifications(told, distortion, options),
    isAcknowledged: ({ status, body }) => status === 200 && body === 'OK',
  };
  return openDialect(dialect, options);
}

const HOUR_MS = 3_600_000;

/** Every hour for a day, then every day for a month. */
const HOURLY_THEN_DAILY: readonly number[] = [
  ...Array.from({ length: 24 }, () => HOUR_MS),
  ...Array.from({ length: 30 }, () => 24 * HOUR_MS),
];

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
      const qr = bank.engine.all().find((one) => paymentIdOf(one) === id);
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
    {
      order,
      merchant: textAt(body, 'TerminalKey') ?? '',
      kopecks: BigInt(amount),
      asked: body,
      expiresAt,
    },
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
  const { engine, knobs, notify } = bank;
  if (qr === undefined) return null;
  if (engine.statusOf(qr) !== 'paid') return engine.cancel(qr) ? { Status: 'CANCELED' } : null;
  const kopecks = BigInt(textAt(body, 'Amount') ?? qr.kopecks);
  if (refundQr(qr, { key: null, kopecks }) === null) return null;
  settleRefunds(qr, knobs.current.refunds);
  engine.changed();
  notify(qr);
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

function failure(code: string): object {
  return { Success: false, ErrorCode: code, Message: 'Sandbox', Details: '' };
}
