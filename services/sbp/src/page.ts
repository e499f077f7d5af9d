import { createHash } from 'node:crypto';
import type { RequestHandler, Response } from 'express';
import { toBuffer } from 'qrcode';
import { notFound } from '@kopeck/runtime/http-app';
import type { Attempts } from './attempts.ts';
import { canBePaid, statusOf, type Order } from './order.ts';
import { pageHtml, PAGE_SCRIPT, PAGE_STYLE } from './page-html.ts';
import { textFor } from './page-text.ts';

export interface PageDeps {
  readonly attempts: Attempts;
  readonly now: () => Date;
}

type OfToken = RequestHandler<{ token: string }>;

/** Only this script and this style, nothing from elsewhere, in nobody's frame. */
const POLICY = [
  "default-src 'none'",
  `script-src '${hashOf(PAGE_SCRIPT)}'`,
  `style-src '${hashOf(PAGE_STYLE)}'`,
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** GET /pay/{token}: what the payer sees. Whoever has the address may see it. */
export function getPage({ attempts, now }: PageDeps): OfToken {
  return async (request, response) => {
    const order = await orderOf(request.params.token, attempts);
    if (order === null) return notFound(response);
    const text = textFor((...languages) => request.acceptsLanguages(...languages));
    response.set('Content-Language', text.lang).set('Vary', 'Accept-Language');
    hidden(response).set('Content-Security-Policy', POLICY).type('html');
    response.send(pageHtml(order, text, now()));
  };
}

const PICTURE = { type: 'png', errorCorrectionLevel: 'M', width: 600, margin: 4 } as const;

/** GET /pay/{token}/qr.png: for bots that send a picture. */
export function getPicture({ attempts, now }: PageDeps): OfToken {
  return async (request, response) => {
    const order = await orderOf(request.params.token, attempts);
    const link = order?.link ?? null;
    if (order === null || link === null || !canBePaid(statusOf(order, now()))) {
      return notFound(response);
    }
    hidden(response)
      .type('png')
      .send(await toBuffer(link, PICTURE));
  };
}

const TOKEN = /^[\w-]{22}$/;

/** Null: there is none, and the database need not be asked about what cannot be a token. */
export async function orderOf(token: string, attempts: Attempts): Promise<Order | null> {
  return TOKEN.test(token) ? await attempts.findByToken(token) : null;
}

/** An address that opens the page to whoever has it goes to nobody else. */
export function hidden(response: Response): Response {
  return response.set('Cache-Control', 'no-store').set('Referrer-Policy', 'no-referrer');
}

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}
