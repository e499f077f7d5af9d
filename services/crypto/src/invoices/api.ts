import { bearer, jsonBody } from '@kopeck/runtime/body';
import type { Request, RequestHandler, Response } from 'express';
import { parsePlans, type Plans } from '@kopeck/core/grants';
import { HttpError } from '@kopeck/runtime/http-app';
import type { CryptoConfig } from '../config.ts';
import { payAppsOf } from '../cryptobot/client.ts';
import { botApiOf } from '../telegram/client.ts';
import { appFor, cryptoDraft, cryptoIssuer } from './crypto-invoice.ts';
import {
  issueInvoice,
  mintOrderId,
  type IssueDeps,
  type Issued,
  type OrderDraft,
} from './issue.ts';
import { readCryptoInvoice, readStarsInvoice, type OrderRequest } from './request.ts';
import { starsDraft, starsIssuer } from './stars-invoice.ts';

export interface InvoiceDeps extends IssueDeps {
  readonly config: CryptoConfig;
}

/** For the operator's own programs: who has the token may sell. */
export function ownPrograms({ CRYPTO_API_TOKEN: tokens }: CryptoConfig): RequestHandler {
  if (tokens === undefined) {
    return (_request, response) => void response.status(503).json({ error: 'unconfigured' });
  }
  return bearer(tokens, (response) => {
    response.status(401).json({ error: 'unauthorized' });
  });
}

/** POST /api/crypto/invoice: an order, and the Crypto Pay invoice for it. */
export function cryptoInvoice(deps: InvoiceDeps): RequestHandler[] {
  const apps = payAppsOf(deps.config);
  const plans = plansOf(deps.config);
  return endpoint(deps, async (body) => {
    const request = readCryptoInvoice(body);
    const draft = cryptoDraft(request, plans, defaultsOf(request, deps.config));
    const issuer = cryptoIssuer(appFor(request, apps), request, draft);
    return { draft, issued: await issueInvoice(draft, issuer, deps) };
  });
}

/** POST /api/stars/invoice: an order, and a link under which it is paid in Stars. */
export function starsInvoice(deps: InvoiceDeps): RequestHandler[] {
  const { config } = deps;
  const api = botApiOf(config);
  const rates = { plans: plansOf(config), ndnPerStar: config.NDN_PER_STAR };
  return endpoint(deps, async (body) => {
    if (api === null) throw new HttpError(409, { error: 'telegram_not_configured' });
    const request = readStarsInvoice(body);
    const draft = starsDraft(request, rates, defaultsOf(request, config));
    return { draft, issued: await issueInvoice(draft, starsIssuer(api, request, draft), deps) };
  });
}

interface Done {
  readonly draft: OrderDraft;
  readonly issued: Issued;
}

function endpoint(
  { config }: InvoiceDeps,
  act: (body: unknown) => Promise<Done>,
): RequestHandler[] {
  const handler = async (request: Request, response: Response): Promise<void> => {
    const { draft, issued } = await act(request.body);
    answer(response, draft, issued);
  };
  return [ownPrograms(config), ...jsonBody(), handler];
}

function answer(response: Response, { orderId, price, grants }: OrderDraft, issued: Issued): void {
  response.set('Cache-Control', 'no-store');
  switch (issued.kind) {
    case 'linked': {
      const { expiresAt } = issued.record;
      response.json({ success: true, orderId, price, grants, expiresAt, ...issued.links });
      return;
    }
    case 'exists':
      response.status(409).json({ error: 'order_exists', orderId });
      return;
    case 'refused':
      response.status(issued.status).json({ error: 'refused', reason: issued.reason, orderId });
      return;
    default:
      response.status(503).set('Retry-After', '5').json({ error: 'partner_unanswered', orderId });
  }
}

function defaultsOf(
  { orderId, expiresIn }: OrderRequest,
  config: CryptoConfig,
): Pick<OrderDraft, 'orderId' | 'seconds'> {
  return {
    orderId: orderId ?? mintOrderId(),
    seconds: expiresIn === undefined ? config.CRYPTO_ORDER_MINUTES * 60 : Number(expiresIn),
  };
}

function plansOf({ PLANS }: CryptoConfig): Plans {
  return parsePlans(PLANS) ?? new Map();
}
