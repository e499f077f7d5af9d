import Joi from 'joi';
import { parsePlans } from '@kopeck/core/grants';
import { port, receiverKeys, secretList, type ReceiverConfig } from '@kopeck/runtime/config';
import { appsOf, cryptobotKeys, type CryptobotConfig } from './cryptobot/config.ts';
import { botOf, telegramKeys, type TelegramConfig } from './telegram/config.ts';

export interface CryptoConfig extends ReceiverConfig, CryptobotConfig, TelegramConfig {
  readonly CRYPTO_PORT: number;
  readonly CRYPTO_METRICS_PORT: number;
  /** Decimal text. */
  readonly NDN_PER_STAR: string;
  /** JSON text: see parsePlans. */
  readonly PLANS: string;
  readonly CRYPTO_API_TOKEN?: string[];
  readonly CRYPTO_ORDER_MINUTES: number;
  readonly RECONCILE_MINUTES: number;
  readonly RECONCILE_DAYS: number;
  readonly LEDGER_URL?: string;
  readonly LEDGER_USER_API_TOKEN?: string[];
  readonly MINI_APP_ORIGINS?: string[];
  readonly INIT_DATA_MAX_AGE_MINUTES: number;
}

export const cryptoConfig = Joi.object<CryptoConfig, true>({
  ...receiverKeys,
  ...cryptobotKeys,
  ...telegramKeys,
  CRYPTO_PORT: port(8000),
  CRYPTO_METRICS_PORT: port(9002, 'the port of /ready and /metrics'),
  NDN_PER_STAR: Joi.string()
    .pattern(/^(?=.*[1-9])\d{1,9}(\.\d{1,9})?$/)
    .required()
    .messages({ '*': 'how many NDN one Star buys, a decimal number: 10' }),
  PLANS: Joi.string()
    .default('{}')
    .custom((text: string, helpers) =>
      parsePlans(text) === null ? helpers.error('any.invalid') : text,
    )
    .example('{"pro-30":{"asset":"USDT","amount":"4.5","days":30}}')
    // Braces are Joi's own in a message.
    .messages({
      '*': 'an object in JSON that gives asset, amount and days of each plan by its name',
    }),
  CRYPTO_API_TOKEN: secretList(
    'the tokens of your own programs that make invoices and refunds: at least 32 characters',
  ),
  CRYPTO_ORDER_MINUTES: Joi.number()
    .integer()
    .min(1)
    .max(44_640)
    .default(60)
    .messages({ '*': 'for how many minutes an order can be paid, 1 to 44640' }),
  RECONCILE_MINUTES: Joi.number().min(0).max(1_440).default(5).messages({
    '*': 'the minutes between two readings of the lists of payments; 0: only when asked',
  }),
  RECONCILE_DAYS: Joi.number()
    .min(1)
    .max(365)
    .default(7)
    .messages({ '*': 'for how many days back payments without a webhook are looked for' }),
  LEDGER_URL: Joi.string()
    .uri({ scheme: ['http', 'https'] })
    .messages({ '*': "where the ledger's read API is, for the balances of a Mini App" }),
  LEDGER_USER_API_TOKEN: secretList(
    "the ledger's token that reads users' balances only: at least 32 characters",
  ),
  MINI_APP_ORIGINS: secretList(
    'the origins of your Mini Apps: https://app.example.com',
    Joi.string().pattern(/^https?:\/\/[^/\s]+$/),
  ),
  INIT_DATA_MAX_AGE_MINUTES: Joi.number()
    .min(1)
    .default(1_440)
    .messages({ '*': 'for how many minutes the initData of a Mini App is believed' }),
});

/** What is refused for want of credentials, for the operator to read. */
export function warningsOf(config: CryptoConfig): readonly string[] {
  const warnings: string[] = [];
  if (appsOf(config).length === 0) {
    warnings.push('CryptoBot is not configured and answers 503: set CRYPTOBOT_TOKEN');
  }
  if (botOf(config) === null) {
    warnings.push(
      'Telegram is not configured and answers 503: set TELEGRAM_BOT_TOKEN and TELEGRAM_WEBHOOK_SECRET',
    );
  }
  if (config.CRYPTO_API_TOKEN === undefined) {
    warnings.push('Invoices and refunds are not configured and answer 503: set CRYPTO_API_TOKEN');
  }
  return warnings;
}

/** What no line of the log may show. */
export function secretsOf(config: CryptoConfig): readonly string[] {
  return [
    ...(config.CRYPTOBOT_TOKEN ?? []),
    ...(config.CRYPTOBOT_TESTNET_TOKEN ?? []),
    ...(config.TELEGRAM_WEBHOOK_SECRET ?? []),
    ...(config.CRYPTO_API_TOKEN ?? []),
    config.TELEGRAM_FORWARD_SECRET ?? '',
    ...(config.LEDGER_USER_API_TOKEN ?? []),
    ...(config.TELEGRAM_BOT_TOKEN === undefined ? [] : [config.TELEGRAM_BOT_TOKEN]),
  ];
}
