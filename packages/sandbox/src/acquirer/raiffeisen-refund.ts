import type { RequestHandler } from 'express';
import { textAt } from '@kopeck/core/json';
import { jsonNumber } from '@kopeck/core/json-number';
import { parseRoubles } from '@kopeck/core/roubles';
import type { Bank } from './dialect.ts';
import type { Body } from './json-bodies.ts';
import { refundQr, settleRefunds } from './refunds.ts';

const REFUND_STATUS = { pending: 'IN_PROGRESS', succeeded: 'COMPLETED', declined: 'DECLINED' };

/** The same refundId is the same refund; what becomes of it shows when it is asked for. */
export function refund({ engine }: Bank): RequestHandler {
  return (request, response) => {
    const body = request.body as Body;
    const [order, key] = [textAt(body, 'order'), textAt(body, 'refundId')];
    const kopecks = parseRoubles(textAt(body, 'amount') ?? '') ?? 0n;
    const qr = engine.all().find((one) => one.order === order && engine.statusOf(one) === 'paid');
    const done = qr === undefined ? null : refundQr(qr, { key, kopecks });
    if (qr === undefined || done === null) {
      return void response.json(error('REFUND_INSUFFICIENT_FUNDS'));
    }
    engine.changed();
    response.json({
      code: 'SUCCESS',
      amount: jsonNumber(textAt(body, 'amount') ?? '0'),
      refundStatus: REFUND_STATUS[done.status],
    });
  };
}

export function refundInfo({ engine, knobs }: Bank): RequestHandler<{ refundId: string }> {
  return (request, response) => {
    const { refundId } = request.params;
    const qr = engine.all().find(({ refunds }) => refunds.some(({ key }) => key === refundId));
    if (qr === undefined) return void response.json(error('REFUND_NOT_FOUND'));
    settleRefunds(qr, knobs.current.refunds);
    const found = qr.refunds.find(({ key }) => key === refundId);
    response.json({ code: 'SUCCESS', refundStatus: REFUND_STATUS[found?.status ?? 'pending'] });
  };
}

/** Logical errors come with HTTP 200: only their code tells. */
export function error(code: string): { code: string; message: string } {
  return { code: `ERROR.${code}`, message: `Sandbox: ${code}` };
}
