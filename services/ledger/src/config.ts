import Joi from 'joi';
import { amountOf, canonicalAmount } from '@kopeck/core/money';
import { parsePlans } from '@kopeck/core/grants';
import {
  databaseKeys,
  httpKeys,
  port,
  redisKeys,
  secretList,
  type HttpConfig,
} from '@kopeck/runtime/config';

export interface LedgerConfig extends HttpConfig {
  readonly DATABASE_URL: string;
  readonly REDIS_URL: string;
  readonly REDIS_PREFIX: string;
  readonly REDIS_UNSAFE: boolean;
  readonly LEDGER_PORT: number;
  readonly LEDGER_METRICS_PORT: number;
  readonly LEDGER_API_TOKEN: string[];
  readonly LEDGER_USER_API_TOKEN: string[];
  readonly LEDGER_LOCK_MS: number;
  readonly LEDGER_STALLED_MS: number;
  readonly NDN_PER_STAR: string;
  readonly PLANS: string;
  readonly EPN_CASHBACK_PERCENT: string;
  /** 0 to 23, or off. */
  readonly REPORT_HOUR: string;
  /** 0 to 23, or off. */
  readonly AUDIT_HOUR: string;
  readonly QUEUE_LATE_MINUTES: number;
  /** By source, hours: see parseSilence. */
  readonly PARTNER_SILENT_HOURS: string;
}

const decimal = (isRight: (text: string) => boolean): Joi.StringSchema =>
  Joi.string().custom((text: string, helpers) => {
    const canonical = canonicalAmount(text);
    return canonical !== null && isRight(canonical) ? canonical : helpers.error('any.invalid');
  });

export const ledgerConfig = Joi.object<LedgerConfig, true>({
  ...httpKeys,
  ...redisKeys,
  ...databaseKeys,
  LEDGER_PORT: port(8070),
  LEDGER_METRICS_PORT: port(9005, 'the port of /ready and /metrics'),
  LEDGER_API_TOKEN: secretList(
    'the token that reads the whole ledger: at least 32 characters',
  ).required(),
  LEDGER_USER_API_TOKEN: secretList(
    "the token that reads users' balances only: at least 32 characters",
  )
    .default([])
    .optional(),
  LEDGER_LOCK_MS: Joi.number()
    .integer()
    .min(500)
    .default(10_000)
    .messages({ '*': 'milliseconds of silence after which a worker loses its jobs, at least 500' }),
  LEDGER_STALLED_MS: Joi.number()
    .integer()
    .min(250)
    .default(5_000)
    .messages({ '*': 'milliseconds between two looks for lost jobs, at least 250' }),
  NDN_PER_STAR: decimal((text) => amountOf(text) > 0n)
    .required()
    .messages({ '*': 'how many NDN a Telegram star buys, a decimal above zero: 10' }),
  PLANS: Joi.string()
    .default('{}')
    .custom((text: string, helpers) =>
      parsePlans(text) === null ? helpers.error('any.invalid') : text,
    )
    .example('{"pro-30":{"asset":"USDT","amount":"4.5","days":30}}')
    // Braces are Joi's own in a message: docs/configuration.md has the example.
    .messages({
      '*': 'an object in JSON that gives asset, amount and days of each plan by its name',
    }),
  EPN_CASHBACK_PERCENT: decimal((text) => amountOf(text) >= 0n && amountOf(text) <= amountOf('100'))
    .default('0')
    .messages({ '*': "the user's share of a commission in percent, 0 to 100" }),
  REPORT_HOUR: Joi.string()
    .pattern(/^(?:off|\d|1\d|2[0-3])$/)
    .default('6')
    .messages({
      '*': 'from which hour of the day, UTC, the report of the day before is mailed: 0 to 23, or off',
    }),
  AUDIT_HOUR: Joi.string()
    .pattern(/^(?:off|\d|1\d|2[0-3])$/)
    .default('3')
    .messages({ '*': 'from which hour of the day, UTC, the books are audited: 0 to 23, or off' }),
  QUEUE_LATE_MINUTES: Joi.number()
    .min(0.01)
    .default(5)
    .messages({ '*': 'how many minutes an event may wait in a queue before that is mailed' }),
  PARTNER_SILENT_HOURS: Joi.string()
    .allow('')
    .default('')
    .custom((text: string, helpers) =>
      parseSilence(text) === null ? helpers.error('any.invalid') : text,
    )
    .example('telegram:48,epn:24')
    .messages({
      '*': 'after how many hours without an event a partner (sbp, cryptobot, telegram, epn) is mailed as silent: telegram:48,epn:24; unset: none ever is, since only you know how seldom you sell',
    }),
});

/** `telegram:48,epn:24`; null: not that. */
export function parseSilence(text: string): ReadonlyMap<string, number> | null {
  const pairs = text.split(',').filter((pair) => pair.trim() !== '');
  const read = pairs.map((pair) =>
    /^\s*(sbp|cryptobot|telegram|epn):(\d{1,4}(?:\.\d{1,6})?)\s*$/.exec(pair),
  );
  if (read.some((match) => match === null || Number(match[2]) === 0)) return null;
  return new Map(read.map((match) => [String(match?.[1]), Number(match?.[2])]));
}

/** What must never be written into a log. */
export function secretsOf(config: LedgerConfig): readonly string[] {
  const { LEDGER_API_TOKEN, LEDGER_USER_API_TOKEN, DATABASE_URL, REDIS_URL } = config;
  return [...LEDGER_API_TOKEN, ...LEDGER_USER_API_TOKEN, DATABASE_URL, REDIS_URL];
}
