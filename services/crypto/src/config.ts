import Joi from 'joi';
import { port, receiverKeys, type ReceiverConfig } from '@kopeck/runtime/config';
import { appsOf, cryptobotKeys, type CryptobotConfig } from './cryptobot/config.ts';
import { botOf, telegramKeys, type TelegramConfig } from './telegram/config.ts';

export interface CryptoConfig extends ReceiverConfig, CryptobotConfig, TelegramConfig {
  readonly CRYPTO_PORT: number;
  readonly CRYPTO_METRICS_PORT: number;
  /** Decimal text. */
  readonly NDN_PER_STAR: string;
}

export const cryptoConfig = Joi.object<CryptoConfig, true>({
  ...receiverKeys,
  ...cryptobotKeys,
  ...telegramKeys,
  CRYPTO_PORT: port(8000),
  CRYPTO_METRICS_PORT: port(9002),
  NDN_PER_STAR: Joi.string()
    .pattern(/^(?=.*[1-9])\d{1,9}(\.\d{1,9})?$/)
    .required()
    .messages({ '*': 'how many NDN one Star buys, a decimal number: 10' }),
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
  return warnings;
}

/** What no line of the log may show. */
export function secretsOf(config: CryptoConfig): readonly string[] {
  return [
    ...(config.CRYPTOBOT_TOKEN ?? []),
    ...(config.CRYPTOBOT_TESTNET_TOKEN ?? []),
    ...(config.TELEGRAM_WEBHOOK_SECRET ?? []),
    ...(config.TELEGRAM_BOT_TOKEN === undefined ? [] : [config.TELEGRAM_BOT_TOKEN]),
  ];
}
