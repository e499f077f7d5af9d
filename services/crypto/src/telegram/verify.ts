import { createHash, timingSafeEqual } from 'node:crypto';
import { accept, reject, type Delivery, type Result } from '@kopeck/core/source';
import type { TelegramBot } from './config.ts';

export const SECRET_HEADER = 'x-telegram-bot-api-secret-token';

export interface TelegramProof {
  readonly bot: string;
}

/**
 * Telegram signs nothing: it repeats the secret it was told by setWebhook. That is proof enough before
 * the body is read, and no proof of the body.
 */
export function verify({ header }: Delivery, bot: TelegramBot | null): Result<TelegramProof> {
  if (bot === null) return reject('unconfigured');

  const given = digest(header(SECRET_HEADER) ?? '');
  const matches = bot.secrets.filter((secret) => timingSafeEqual(digest(secret), given));
  return matches.length === 0 ? reject('forged') : accept({ bot: bot.bot });
}

/** Digests are of one length, whatever was given, as timingSafeEqual needs them. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
