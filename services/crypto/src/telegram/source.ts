import type { Source } from '@kopeck/core/source';
import { botOf, type TelegramCredentials } from './config.ts';
import { EVIDENCE_HEADERS, normalise } from './normalise.ts';
import { parse, type CheckoutQuestion, type TelegramNotification } from './parse.ts';
import { verify, type TelegramProof } from './verify.ts';

/** The bot's webhook: payments in Stars, their refunds, and the question that comes before a payment. */
export function telegramSource(
  config: TelegramCredentials,
): Source<TelegramProof, TelegramNotification, CheckoutQuestion> {
  const bot = botOf(config);
  return {
    name: 'telegram',
    proves: 'head',
    evidenceHeaders: EVIDENCE_HEADERS,
    verify: (delivery) => verify(delivery, bot),
    parse,
    normalise,
  };
}
