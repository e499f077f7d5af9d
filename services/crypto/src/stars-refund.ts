import type { RequestHandler } from 'express';
import Joi from 'joi';
import { jsonBody } from '@kopeck/runtime/body';
import { ownPrograms } from './invoices/api.ts';
import type { CryptoConfig } from './config.ts';
import { checked } from './invoices/request.ts';
import { botApiOf } from './telegram/client.ts';

interface RefundRequest {
  readonly user: string;
  readonly chargeId: string;
}

const refundRequest = Joi.object<RefundRequest>({
  user: Joi.string()
    .pattern(/^[1-9]\d{0,15}$/)
    .required(),
  chargeId: Joi.string().max(255).required(),
}).required();

export interface RefundDeps {
  readonly config: CryptoConfig;
  /** Finds the refund in the bot's transactions, should Telegram not tell of it. */
  readonly reconcileNow: () => Promise<unknown>;
}

/**
 * POST /api/stars/refund: gives the Stars back. Only what Telegram then tells (or lists) is booked, so
 * the books never say more than happened. May be repeated: what was given back stays given back, once.
 */
export function starsRefund({ config, reconcileNow }: RefundDeps): RequestHandler[] {
  const api = botApiOf(config);
  const handler: RequestHandler = async (request, response) => {
    response.set('Cache-Control', 'no-store');
    if (api === null) {
      return void response.status(409).json({ error: 'telegram_not_configured' });
    }
    const { user, chargeId } = checked(refundRequest, request.body);
    const called = await api.call('refundStarPayment', {
      user_id: Number(user),
      telegram_payment_charge_id: chargeId,
    });
    const wasRefunded =
      called.kind === 'refused' && called.name.includes('CHARGE_ALREADY_REFUNDED');
    if (called.kind === 'ok' || wasRefunded) {
      if (wasRefunded) reconcileNow().catch(() => undefined);
      return void response.json({ success: true, chargeId, alreadyRefunded: wasRefunded });
    }
    if (called.kind === 'refused') {
      return void response.status(422).json({ error: 'refused', reason: called.name });
    }
    response.status(503).set('Retry-After', '5').json({ error: 'partner_unanswered' });
  };
  return [ownPrograms(config), ...jsonBody(), handler];
}
