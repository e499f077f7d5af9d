import express, { Router } from 'express';
import { parseNspkLink } from '@kopeck/core/nspk';
import { parseRoubles, formatRoubles } from '@kopeck/core/roubles';
import type { Deliveries, Notification } from './deliveries.ts';
import type { Bank, Dialect } from './dialect.ts';
import type { Qr } from './engine.ts';
import { handPage } from './hand-page.ts';
import { knobChange } from './knobs.ts';
import type { Distortion } from './notification.ts';

export interface Controlled {
  readonly dialect: Pick<Dialect, 'name' | 'provider' | 'paymentIdOf'>;
  readonly bank: Bank;
  readonly deliveries: Deliveries;
  readonly notificationsOf: (qr: Qr, distortion?: Distortion) => readonly Notification[];
}

/** For tests and people: what there is, knobs, a clock, payers, and notifications on demand. */
export function controlsOf(controlled: Controlled): Router {
  const { bank, deliveries } = controlled;
  const { engine, knobs } = bank;
  const router = Router();
  router.get('/qrs', (_request, response) => {
    response.json(engine.all().map((qr) => view(qr, controlled)));
  });
  router.get('/callbacks', (_request, response) => void response.json(deliveries.all()));

  router.get('/knobs', (_request, response) => void response.json(knobs.current));
  router.patch('/knobs', (request, response) => {
    const { value, error } = knobChange.validate(request.body);
    if (error !== undefined) return void response.status(400).json({ error: error.message });
    knobs.current = { ...knobs.current, ...value };
    response.json(knobs.current);
  });

  router.post('/clock', (request, response) => {
    const { advanceMs } = request.body as { advanceMs?: unknown };
    if (typeof advanceMs !== 'number')
      return void response.status(400).json({ error: 'advanceMs' });
    engine.advance(advanceMs);
    void deliveries.catchUp().then(() => response.json({ now: engine.now() }));
  });
  addPayer(router, bank);
  addNotifications(router, controlled);
  addPage(router, controlled);
  return router;
}

function view(qr: Qr, { bank: { engine }, dialect }: Controlled): object {
  const { name, provider = name, paymentIdOf } = dialect;
  return {
    qrId: qr.qrcId,
    provider,
    paymentId: paymentIdOf?.(qr) ?? qr.qrcId,
    order: qr.order,
    amount: formatRoubles(qr.kopecks),
    asked: qr.asked,
    status: engine.statusOf(qr),
    payload: qr.link,
    expiresAt: qr.expiresAt,
    attempts: qr.attempts,
    refunds: qr.refunds.map(({ id, key, status, kopecks }) => {
      return { id, key, status, amount: formatRoubles(kopecks) };
    }),
  };
}

/** The payer's bank, in every dialect alike. */
function addPayer(router: Router, { engine, notify }: Bank): void {
  router.post('/pay', (request, response) => {
    const { qrId, amount, decline } = request.body as Record<string, unknown>;
    const kopecks = typeof amount === 'string' ? (parseRoubles(amount) ?? -1n) : null;
    const paid = engine.pay(String(qrId), decline === true ? 'declined' : 'success', kopecks);
    if (paid.kind === 'refused') return void response.status(409).json({ error: paid.why });
    notify(paid.qr);
    response.json({ status: engine.statusOf(paid.qr) });
  });
}

/** Sends the notification of a code's last attempt once more, or a false one. */
function addNotifications(
  router: Router,
  { bank: { engine, knobs }, deliveries, notificationsOf }: Controlled,
): void {
  router.post('/callbacks/:qrId', (request, response) => {
    const qr = engine.find(request.params.qrId);
    const { callbackUrl: url } = knobs.current;
    if (qr === undefined || url === null) return void response.status(404).json({ error: 'qrId' });

    const attempt = { transactionId: 1, result: 'success', at: engine.now() } as const;
    const told = qr.attempts.length > 0 ? qr : { ...qr, attempts: [attempt] };
    const [notification] = notificationsOf(told, (request.body ?? {}) as Distortion);
    if (notification === undefined) return void response.status(404).json({ error: 'nothing' });
    void deliveries.sendOnce(url, notification).then((status) => response.json({ status }));
  });
}

/** A page to pay, decline or expire a code by hand. */
function addPage(router: Router, { dialect, bank }: Controlled): void {
  const { name } = dialect;
  const { engine, notify } = bank;
  const pay = (qr: Qr, result: 'success' | 'declined'): void => {
    if (engine.pay(qr.qrcId, result, null).kind === 'done') notify(qr);
  };
  const acts: Readonly<Record<string, (qr: Qr) => void>> = {
    pay: (qr) => pay(qr, 'success'),
    decline: (qr) => pay(qr, 'declined'),
    expire: engine.expire,
  };
  router.get('/', (_request, response) => {
    response.type('html').send(handPage(name, engine));
  });
  router.post('/act', express.urlencoded({ extended: false }), (request, response) => {
    const { qrId = '', act } = request.body as Record<string, string>;
    // The code, or the link that a phone reads off it.
    const qr = engine.find(parseNspkLink(qrId.trim())?.qrcId ?? qrId.trim());
    if (qr !== undefined) acts[act ?? '']?.(qr);
    response.redirect(303, `/__sandbox/${name}/`);
  });
}
