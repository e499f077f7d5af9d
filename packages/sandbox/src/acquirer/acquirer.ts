import { Router } from 'express';
import { formatRoubles } from '@kopeck/core/roubles';
import type { Double, OpenDouble } from '../double.ts';
import { createDeliveries, type Deliveries } from './deliveries.ts';
import { createEngine, type Qr } from './engine.ts';
import { keepCodes, KEEPS_NOTHING } from './kept-codes.ts';
import { DEFAULT_KNOBS, knobChange, type Knobs } from './knobs.ts';
import { raiffeisenNotification, type Distortion, type Merchant } from './notification.ts';
import { raiffeisenRouter, type Bank } from './raiffeisen.ts';

export interface AcquirerOptions extends Merchant {
  /** Where notifications go until a knob says otherwise; null: nowhere. */
  readonly callbackUrl: string | null;
  /** Codes survive a restart in it. Without one they live in memory. */
  readonly codesFile?: string;
}

/** An SBP acquirer that speaks as Raiffeisen does: the API base is `<origin>/raiffeisen/api`. */
export function openAcquirer({ callbackUrl, codesFile, ...merchant }: AcquirerOptions): OpenDouble {
  return ({ now, origin }): Double => {
    const initial: Knobs = { ...DEFAULT_KNOBS, callbackUrl };
    const knobs = { current: initial };
    const kept = codesFile === undefined ? KEEPS_NOTHING : keepCodes(codesFile);
    const engine = createEngine(now, kept);
    const deliveries = createDeliveries();

    const bank: Bank = { engine, knobs, merchant, origin, notify };
    function notify(qr: Qr): void {
      const attempt = qr.attempts.at(-1);
      const { callbackUrl: url, callbacks, copies, retryDelaysMs } = knobs.current;
      if (url === null || callbacks === 'drop' || attempt === undefined) return;
      const notification = raiffeisenNotification({ qr, attempt, knobs: knobs.current }, merchant);
      for (let copy = 0; copy < copies; copy += 1)
        deliveries.send(url, notification, retryDelaysMs);
    }

    return {
      name: 'acquirer',
      prefix: '/raiffeisen',
      router: raiffeisenRouter(bank),
      controls: controlsOf(bank, deliveries),
      reset() {
        knobs.current = initial;
        engine.reset();
        deliveries.reset();
      },
      async close() {
        deliveries.reset();
        await deliveries.settled();
      },
    };
  };
}

/** For tests and people: what there is, knobs, a clock, and notifications on demand. */
function controlsOf({ engine, knobs, merchant }: Bank, deliveries: Deliveries): Router {
  const router = Router();
  router.get('/qrs', (_request, response) => {
    response.json(
      engine.all().map((qr) => ({
        qrId: qr.qrcId,
        order: qr.order,
        amount: formatRoubles(qr.kopecks),
        status: engine.statusOf(qr),
        payload: qr.link,
        expiresAt: qr.expiresAt,
        attempts: qr.attempts,
      })),
    );
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
    response.json({ now: engine.now() });
  });

  // Sends the notification of a code's last attempt once more, or a false one.
  router.post('/callbacks/:qrId', (request, response) => {
    const qr = engine.find(request.params.qrId);
    const { callbackUrl: url } = knobs.current;
    if (qr === undefined || url === null) return void response.status(404).json({ error: 'qrId' });

    const attempt = qr.attempts.at(-1) ?? { transactionId: 1, result: 'success', at: engine.now() };
    const distortion = (request.body ?? {}) as Distortion;
    const paid = { qr, attempt, knobs: knobs.current } as const;
    const notification = raiffeisenNotification(paid, merchant, distortion);
    void deliveries.sendOnce(url, notification).then((status) => response.json({ status }));
  });
  return router;
}
