import express, { Router, type Request, type RequestHandler } from 'express';
import Joi from 'joi';
import { canonicalAmount } from '@kopeck/core/money';
import { ASSETS, FIATS, type Invoice, type InvoiceRequest } from './invoices.ts';
import type { App } from './apps.ts';

/** A refusal in Crypto Pay's words: `{"ok":false,"error":{"code":400,"name":"AMOUNT_INVALID"}}`. */
interface Refusal {
  readonly code: number;
  readonly name: string;
  readonly [extra: string]: unknown;
}

type Method = (app: App, params: Readonly<Record<string, unknown>>) => unknown;

const METHODS: Readonly<Record<string, Method>> = { getMe, createInvoice, getInvoices };

/** `<base>/api/<method>`, by GET or POST, with its parameters in the query or the body. */
export function apiRouter(
  findApp: (token: string) => App | undefined,
  losesAnswers: () => boolean,
): Router {
  const router = Router();
  router.use(express.json(), express.urlencoded());
  router.all('/api/:method', ((request, response) => {
    const app = findApp(request.get('crypto-pay-api-token') ?? '');
    const answer = answerTo(app, request);
    if (losesAnswers()) return void request.socket.destroy();
    const refused = isRefusal(answer);
    response.status(refused ? answer.code : 200);
    response.json(refused ? { ok: false, error: answer } : { ok: true, result: answer });
  }) satisfies RequestHandler<{ method: string }>);
  return router;
}

function answerTo(app: App | undefined, request: Request<{ method: string }>): unknown {
  if (app === undefined) return { code: 401, name: 'UNAUTHORIZED' };
  const { method } = request.params;
  const call = Object.hasOwn(METHODS, method) ? METHODS[method] : undefined;
  if (call === undefined) return { code: 405, name: 'METHOD_NOT_FOUND' };
  return call(app, { ...request.query, ...(request.body as object | undefined) });
}

function isRefusal(answer: unknown): answer is Refusal {
  return typeof answer === 'object' && answer !== null && 'code' in answer && 'name' in answer;
}

function getMe({ id, bot }: App): unknown {
  return { app_id: id, name: 'Sandbox', payment_processing_bot_username: bot };
}

const REQUEST = Joi.object({
  currency_type: Joi.valid('crypto', 'fiat').default('crypto'),
  asset: Joi.string(),
  fiat: Joi.string(),
  amount: Joi.string().custom((text: string) => canonicalAmount(text) ?? '0'),
  swap_to: Joi.valid('USDT', 'TON', 'TRX', 'ETH', 'SOL', 'BTC', 'LTC'),
  description: Joi.string().max(1024),
  hidden_message: Joi.string().max(2048),
  payload: Joi.string().max(4096),
  expires_in: Joi.number().integer().min(1).max(2_678_400),
}).unknown();

function createInvoice(app: App, params: Readonly<Record<string, unknown>>): unknown {
  // It wants text with commas, and breaks on a list.
  if (Array.isArray(params['accepted_assets'])) return { code: 500, name: 'APP_ERROR' };

  const given = { ...params, amount: String(params['amount']) };
  const { value, error } = REQUEST.validate(given, { stripUnknown: true });
  if (error !== undefined) {
    const field = String(error.details[0]?.path[0] ?? 'param').toUpperCase();
    return { code: 400, name: `${field}_INVALID` };
  }
  return refusalOf(value as InvoiceRequest) ?? app.create(value as InvoiceRequest);
}

function refusalOf({ currency_type, asset, fiat, amount }: InvoiceRequest): Refusal | null {
  if (currency_type === 'crypto' && !ASSETS.includes(asset ?? '')) {
    return { code: 400, name: 'UNSUPPORTED_ASSET', allowed_crypto_assets: ASSETS };
  }
  if (currency_type === 'fiat' && !FIATS.includes(fiat ?? '')) {
    return { code: 400, name: 'FIAT_INVALID' };
  }
  return amount === '0' || amount.startsWith('-') ? { code: 400, name: 'AMOUNT_INVALID' } : null;
}

const FILTER = Joi.object({
  asset: Joi.string(),
  fiat: Joi.string(),
  invoice_ids: Joi.string(),
  status: Joi.valid('active', 'paid'),
  offset: Joi.number().integer().min(0).default(0),
  count: Joi.number().integer().min(1).max(1000).default(100),
});

interface Filter {
  readonly asset?: string;
  readonly fiat?: string;
  readonly invoice_ids?: string;
  readonly status?: string;
  readonly offset: number;
  readonly count: number;
}

/** The newest first, as Crypto Pay lists them. */
function getInvoices(app: App, params: Readonly<Record<string, unknown>>): unknown {
  const { value, error } = FILTER.validate(params, { stripUnknown: true });
  if (error !== undefined) return { code: 400, name: 'PARAM_INVALID' };
  const filter = value as Filter;
  const ids = filter.invoice_ids?.split(',').map((id) => id.trim());
  const matches = (invoice: Invoice): boolean =>
    (ids?.includes(String(invoice.invoice_id)) ?? true) &&
    (['asset', 'fiat', 'status'] as const).every(
      (key) => filter[key] === undefined || filter[key] === invoice[key],
    );
  const found = app.invoices().filter(matches).toReversed();
  return { items: found.slice(filter.offset, filter.offset + filter.count) };
}
