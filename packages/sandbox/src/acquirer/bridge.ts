import { Router } from 'express';
import { textAt } from '@kopeck/core/json';
import { jsonNumber } from '@kopeck/core/json-number';
import { formatRoubles, parseRoubles } from '@kopeck/core/roubles';
import type { OpenDouble } from '../double.ts';
import type { Notification } from './deliveries.ts';
import { GROWING_FOR_A_DAY, knobsFor, openDialect } from './dialect.ts';
import type { Bank, Dialect, DialectOptions, Told } from './dialect.ts';
import { dress } from './dress.ts';
import type { Qr } from './engine.ts';
import { faulty } from './faults.ts';
import { jsonBodies, type Body } from './json-bodies.ts';
import type { Distortion } from './notification.ts';

export interface BridgeOptions extends DialectOptions {
  readonly token: string;
}

/** An upstream of the operator's own, behind the plain contract of the bridge: `<origin>/bridge`. */
export function openBridge(options: BridgeOptions): OpenDouble {
  const dialect: Dialect = {
    name: 'bridge',
    prefix: '/bridge',
    paymentIdOf: ({ order }) => order,
    pausesMs: GROWING_FOR_A_DAY,
    router: (bank) => bridgeRouter(bank, options),
    notifications: (told, distortion) => notifications(told, distortion, options),
  };
  return openDialect(dialect, options);
}

const LIFE_MS = 3_600_000;

function bridgeRouter(bank: Bank, { token }: BridgeOptions): Router {
  const { engine, knobs } = bank;
  const words = { errorBody: { error: 'refused' } };
  const router = Router();
  router.use(...jsonBodies, (request, response, next) => {
    if (request.get('authorization') === `Bearer ${token}`) return next();
    response.status(401).json({ error: 'unauthorized' });
  });
  router.post('/', faulty('create', knobs, words), (request, response) => {
    const body = request.body as Body;
    const order = textAt(body, 'orderId') ?? '';
    const kopecks = parseRoubles(textAt(body, 'amount') ?? '') ?? 0n;
    const hasCard = textAt(body, 'cardNumber') !== null && textAt(body, 'cardOwner') !== null;
    if (order === '' || kopecks <= 0n || !hasCard) {
      return void response.status(400).json({ error: 'amount, orderId, cardNumber, cardOwner' });
    }
    const known = engine.all().find((qr) => qr.order === order);
    const expiresAt = new Date(engine.now().getTime() + LIFE_MS);
    const wanted = { order, merchant: 'bridge', kopecks, asked: body, expiresAt };
    const qr = known ?? engine.register(wanted, knobs.current.linkStyle);
    response.json({ qrcId: qr.qrcId, qr: qr.link });
  });
  router.get('/:orderId', faulty('read', knobs, words), (request, response) => {
    const qr = engine.all().find(({ order }) => order === request.params['orderId']);
    if (qr === undefined) return void response.status(404).json({ error: 'not_found' });
    response.json(view(qr, bank));
  });
  return router;
}

function view(qr: Qr, bank: Bank): object {
  const { engine } = bank;
  const current = knobsFor(qr, bank);
  const status = current.holdStatus ? engine.unpaidStatusOf(qr) : engine.statusOf(qr);
  const isDeclined = !current.holdStatus && qr.attempts.at(-1)?.result === 'declined';
  const word = isDeclined ? 'failed' : status === 'new' ? 'pending' : status;
  return {
    orderId: qr.order,
    status: word,
    amount: jsonNumber(current.claimedAmount ?? formatRoubles(qr.kopecks)),
    qrcId: qr.qrcId,
    qr: qr.link,
    paidAt: qr.attempts.at(-1)?.at,
  };
}

function notifications(
  { qr, knobs }: Told,
  { order }: Distortion,
  { token }: BridgeOptions,
): readonly Notification[] {
  const key = knobs.signature === 'good' ? token : `not ${token}`;
  const headers = { 'Content-Type': 'application/json', Authorization: `Bearer ${key}` };
  const body = JSON.stringify(dress({ orderId: order ?? qr.order }, knobs));
  return [{ qrcId: qr.qrcId, body, headers }];
}
