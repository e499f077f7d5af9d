import Joi from 'joi';
import { port, secretList } from '@kopeck/runtime/config';
import { MAIL_SINK_PORT } from '@kopeck/sandbox/mail-sink';
import { SANDBOX_PORT } from '@kopeck/sandbox/sandbox';

/** What the partners' doubles of `npm start` share with the services. */
export interface SandboxConfig {
  readonly SANDBOX_HOST: string;
  readonly SANDBOX_PORT: number;
  readonly MAIL_PORT: number;
  readonly MAIL_DIR: string;
  /** Where the acquirers keep their QR codes: the first in this file, the others beside it. */
  readonly CODES_FILE: string;
  readonly SBP_URL: string;
  readonly CRYPTO_URL: string;
  readonly RAIFFEISEN_SECRET_KEY: string[];
  readonly RAIFFEISEN_SBP_MERCHANT_ID: string;
  readonly TBANK_TERMINAL_KEY: string;
  readonly TBANK_PASSWORD: string[];
  readonly YOOKASSA_SHOP_ID: string;
  readonly YOOKASSA_SECRET_KEY: string;
  readonly TOCHKA_TOKEN: string;
  readonly TOCHKA_MERCHANT_ID: string;
  readonly TOCHKA_CUSTOMER_CODE: string;
  readonly BRIDGE_TOKEN: string[];
  readonly CRYPTOBOT_TOKEN: string[];
  readonly CRYPTOBOT_TESTNET_TOKEN: string[];
  readonly TELEGRAM_BOT_TOKEN: string;
  readonly TELEGRAM_WEBHOOK_SECRET: string[];
  readonly EPN_STATS_CLIENT_ID: string;
  readonly EPN_STATS_REFRESH_TOKEN: string;
  readonly PANEL_TOKEN: string;
  readonly PANEL_SERVER: string;
  readonly PANEL_SUBSCRIBER: string;
}

const required = Joi.string().required().messages({ '*': 'a value' });
const list = secretList('a value', Joi.string()).required();

export const sandboxConfig = Joi.object<SandboxConfig, true>({
  SANDBOX_HOST: Joi.string().default('127.0.0.1').messages({ '*': 'the address to listen on' }),
  SANDBOX_PORT: port(SANDBOX_PORT),
  MAIL_PORT: port(MAIL_SINK_PORT),
  MAIL_DIR: required,
  CODES_FILE: required,
  SBP_URL: required,
  CRYPTO_URL: required,
  RAIFFEISEN_SECRET_KEY: list,
  RAIFFEISEN_SBP_MERCHANT_ID: required,
  TBANK_TERMINAL_KEY: required,
  TBANK_PASSWORD: list,
  YOOKASSA_SHOP_ID: required,
  YOOKASSA_SECRET_KEY: required,
  TOCHKA_TOKEN: required,
  TOCHKA_MERCHANT_ID: required,
  TOCHKA_CUSTOMER_CODE: required,
  BRIDGE_TOKEN: list,
  CRYPTOBOT_TOKEN: list,
  CRYPTOBOT_TESTNET_TOKEN: list,
  TELEGRAM_BOT_TOKEN: required,
  TELEGRAM_WEBHOOK_SECRET: list,
  EPN_STATS_CLIENT_ID: required,
  EPN_STATS_REFRESH_TOKEN: required,
  PANEL_TOKEN: required,
  PANEL_SERVER: required,
  PANEL_SUBSCRIBER: required,
});

export const SANDBOX_KEYS: readonly string[] = Object.keys(
  (sandboxConfig.describe() as { keys: object }).keys,
);
