import Joi from 'joi';
import { secretList } from '@kopeck/runtime/config';
import { apiUrl } from '../api-url.ts';

/** Neither is required: without both of them the webhook answers 503 and the service says why. */
export interface TelegramCredentials {
  readonly TELEGRAM_BOT_TOKEN?: string;
  readonly TELEGRAM_WEBHOOK_SECRET?: string[];
}

export interface TelegramConfig extends TelegramCredentials {
  readonly TELEGRAM_API_URL: string;
  readonly TELEGRAM_FORWARD_URL?: string;
  readonly TELEGRAM_FORWARD_SECRET?: string;
}

export const telegramKeys = {
  TELEGRAM_BOT_TOKEN: Joi.string()
    .pattern(/^\d{1,20}:[A-Za-z0-9_-]{30,64}$/)
    .messages({ '*': "the bot's token, as @BotFather gave it" }),
  TELEGRAM_WEBHOOK_SECRET: secretList(
    'the secret_token of setWebhook: 8 to 256 of A-Z, a-z, 0-9, _ and -',
    Joi.string().pattern(/^[A-Za-z0-9_-]{8,256}$/),
  ),
  TELEGRAM_API_URL: apiUrl('https://api.telegram.org', 'the Bot API'),
  TELEGRAM_FORWARD_URL: Joi.string()
    .uri({ scheme: ['http', 'https'] })
    .messages({ '*': "the URL of the bot's own webhook, for updates that are not about money" }),
  TELEGRAM_FORWARD_SECRET: Joi.string()
    .pattern(/^[A-Za-z0-9_-]{1,256}$/)
    .messages({ '*': "the secret token that the bot's own webhook expects" }),
};

export interface TelegramBot {
  readonly bot: string;
  readonly secrets: readonly string[];
}

/** Null: not configured. The bot's id is the number that its token begins with. */
export function botOf(config: TelegramCredentials): TelegramBot | null {
  const { TELEGRAM_BOT_TOKEN: token, TELEGRAM_WEBHOOK_SECRET: secrets } = config;
  if (token === undefined || secrets === undefined) return null;
  return { bot: token.slice(0, token.indexOf(':')), secrets };
}
