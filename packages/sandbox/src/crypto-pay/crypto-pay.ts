import { Router } from 'express';
import Joi from 'joi';
import { checked } from '../checked.ts';
import type { Double, OpenDouble } from '../double.ts';
import type { Sent } from '../send.ts';
import { apiRouter } from './api.ts';
import { createApp, sendSigned, webhookBody, type App, type AppOptions } from './apps.ts';
import type { InvoiceRequest } from './invoices.ts';

export interface CryptoPayOptions {
  /** The first is meant where a control names no app. */
  readonly apps: readonly [AppOptions, ...AppOptions[]];
  /** Where webhooks go until a knob says otherwise; null: nowhere, as when they were never enabled. */
  readonly webhookUrl: string | null;
}

interface Knobs {
  readonly webhookUrl: string | null;
  /** 'drop': the payment is made and nobody is told, as after too many failed deliveries. */
  readonly webhooks: 'deliver' | 'drop';
  /** 'lose': a call does its work, and the connection breaks before the answer. */
  readonly answers: 'give' | 'lose';
}

/** A webhook that was sent, byte for byte, and what it was answered. */
interface Delivery extends Sent {
  readonly sent: string;
}

/** Crypto Pay of both networks: the API base is `<origin>/crypto-pay/api`, the token tells the app. */
export function openCryptoPay(options: CryptoPayOptions): OpenDouble {
  return ({ now }): Double => {
    const apps = options.apps.map((app) => createApp(app, now));
    const initial: Knobs = {
      webhookUrl: options.webhookUrl,
      webhooks: 'deliver',
      answers: 'give',
    };
    const state = { knobs: initial, deliveries: [] as Delivery[], updates: 0 };

    async function deliver(app: App, body: string): Promise<Delivery | null> {
      const { webhookUrl, webhooks } = state.knobs;
      if (webhookUrl === null || webhooks === 'drop') return null;
      const delivery = { sent: body, ...(await sendSigned(webhookUrl, body, app.token)) };
      state.deliveries.push(delivery);
      return delivery;
    }

    return {
      name: 'crypto-pay',
      prefix: '/crypto-pay',
      router: apiRouter(
        (token) => apps.find((app) => app.token === token),
        () => state.knobs.answers === 'lose',
      ),
      controls: controlsOf({ apps, state, deliver, now }),
      reset() {
        for (const app of apps) app.reset();
        Object.assign(state, { knobs: initial, deliveries: [], updates: 0 });
      },
      close: async () => undefined,
    };
  };
}

interface Payment {
  readonly invoice_id: number;
  /** The coin for an invoice in a fiat currency. */
  readonly asset?: string;
}

const PAYMENT = Joi.object<Payment>({
  invoice_id: Joi.number().integer().min(1).required(),
  asset: Joi.string(),
});

interface PaidInvoice extends InvoiceRequest {
  readonly invoice_id: number;
  readonly app_id?: number;
}

const PAID_INVOICE = Joi.object<PaidInvoice>({
  invoice_id: Joi.number().integer().min(1).required(),
  app_id: Joi.number().integer(),
  currency_type: Joi.valid('crypto', 'fiat').default('crypto'),
  asset: Joi.string().default('USDT'),
  fiat: Joi.string(),
  amount: Joi.string()
    .pattern(/^\d{1,15}(\.\d{1,18})?$/)
    .default('4.5'),
  swap_to: Joi.string(),
  payload: Joi.string(),
});

interface AnyWebhook {
  readonly body: string;
  readonly app_id?: number;
}

const ANY_WEBHOOK = Joi.object<AnyWebhook>({
  body: Joi.string().required(),
  app_id: Joi.number().integer(),
});

const KNOBS = Joi.object<Partial<Knobs>>({
  webhookUrl: Joi.string().uri().allow(null),
  webhooks: Joi.valid('deliver', 'drop'),
  answers: Joi.valid('give', 'lose'),
});

interface Parts {
  readonly apps: readonly App[];
  readonly state: { knobs: Knobs; deliveries: readonly Delivery[]; updates: number };
  readonly deliver: (app: App, body: string) => Promise<Delivery | null>;
  readonly now: () => Date;
}

/** For tests and people: pay an invoice, or send one that was made elsewhere. */
function controlsOf({ apps, state, deliver, now }: Parts): Router {
  const appOf = (id: number | undefined): App | undefined =>
    apps.find((app) => id === undefined || app.id === id);

  async function pay(app: App, { invoice_id, asset }: Payment): Promise<object | null> {
    const invoice = app.pay(invoice_id, asset);
    if (invoice === undefined) return null;
    state.updates += 1;
    const body = webhookBody(invoice, state.updates, now());
    return { invoice, delivery: await deliver(app, body) };
  }

  const router = Router();
  router.post(
    '/pay',
    checked(PAYMENT, (payment) => {
      const app = apps.find((candidate) => has(candidate, payment.invoice_id));
      return app === undefined ? null : pay(app, payment);
    }),
  );
  // Sent again, the same invoice goes out as it was: another amount needs another id.
  router.post(
    '/send',
    checked(PAID_INVOICE, ({ invoice_id, app_id, ...request }) => {
      const app = appOf(app_id);
      if (app === undefined) return null;
      if (!has(app, invoice_id)) app.add(invoice_id, request);
      return pay(app, { invoice_id, ...request });
    }),
  );
  // Signs anything: what Crypto Pay may send one day, and what it never should.
  router.post(
    '/webhook',
    checked(ANY_WEBHOOK, ({ body, app_id }) => {
      const app = appOf(app_id);
      return app === undefined ? null : deliver(app, body);
    }),
  );
  router.get('/deliveries', (_request, response) => void response.json(state.deliveries));
  router.get('/knobs', (_request, response) => void response.json(state.knobs));
  router.patch(
    '/knobs',
    checked(KNOBS, (change) => (state.knobs = { ...state.knobs, ...change })),
  );
  return router;
}

function has(app: App, invoiceId: number): boolean {
  return app.invoices().some(({ invoice_id }) => invoice_id === invoiceId);
}
