import Joi from 'joi';
import {
  databaseKeys,
  heartbeatKeys,
  httpKeys,
  port,
  redisKeys,
  secretList,
} from '@kopeck/runtime/config';
import type { HeartbeatConfig, HttpConfig } from '@kopeck/runtime/config';
import { parseMessages, type Language } from './messages.ts';

export interface CourierConfig extends HttpConfig, HeartbeatConfig {
  readonly COURIER_PORT: number;
  readonly COURIER_METRICS_PORT: number;
  readonly DATABASE_URL: string;
  readonly REDIS_URL: string;
  readonly REDIS_PREFIX: string;
  readonly SMTP_URL?: string;
  readonly ALERT_EMAIL?: string;
  readonly ALERT_FROM?: string;
  readonly COURIER_GRACE_MS: number;
  readonly COURIER_DIGEST_MINUTES: number;
  readonly COURIER_REMINDER_HOURS: number;
  readonly COURIER_RETRY_MS: number;
  readonly ALERTS_PER_HOUR: number;
  readonly ALERTS_PER_DAY: number;
  readonly DISK_LOW_PERCENT: number;
  readonly MEMORY_LOW_PERCENT: number;
  /** host or host:port */
  readonly CERTIFICATE_OF?: string;
  readonly CERTIFICATE_DAYS: number;
  /** Its path is a secret. */
  readonly HEARTBEAT_URL?: string;
  readonly FULFILMENT_URL?: string;
  readonly FULFILMENT_SECRET?: string[];
  readonly TELEGRAM_BOT_TOKEN?: string;
  readonly TELEGRAM_API_URL: string;
  readonly MESSAGE_LANGUAGE: Language;
  /** JSON text: see parseMessages. */
  readonly MESSAGES: string;
}

export const courierConfig = Joi.object<CourierConfig, true>({
  ...httpKeys,
  COURIER_PORT: port(8060),
  COURIER_METRICS_PORT: port(9006, 'the port of /ready and /metrics'),
  DATABASE_URL: databaseKeys.DATABASE_URL,
  REDIS_URL: redisKeys.REDIS_URL,
  REDIS_PREFIX: redisKeys.REDIS_PREFIX,
  SMTP_URL: Joi.string()
    .uri({ scheme: ['smtp', 'smtps'] })
    .messages({
      '*': 'the mail server: smtps://user:password@host:465, or smtp://user:password@host:587 with STARTTLS; the login goes over TLS alone, but to a private address, to a name without a dot, or with ?requireTLS=false',
    }),
  ALERT_EMAIL: Joi.string()
    .email({ tlds: false, multiple: true })
    .messages({ '*': 'who gets alerts: one address, or several separated by commas' }),
  ALERT_FROM: Joi.string().messages({
    '*': 'the sender of alerts, as the mail server allows it; default: the first of ALERT_EMAIL',
  }),
  COURIER_GRACE_MS: Joi.number().integer().min(0).default(3_000).messages({
    '*': 'for how many milliseconds a database must be away (or back) before that is mailed',
  }),
  COURIER_DIGEST_MINUTES: Joi.number()
    .min(0)
    .default(15)
    .messages({ '*': 'the least number of minutes between two mails about the same reason' }),
  COURIER_REMINDER_HOURS: Joi.number()
    .min(0)
    .default(4)
    .messages({ '*': 'after how many hours an open incident is mailed again; 0 is never' }),
  COURIER_RETRY_MS: Joi.number().integer().min(1).default(20_000).messages({
    '*': 'the milliseconds before a mail is tried again; five times longer after each failure',
  }),
  ALERTS_PER_HOUR: Joi.number()
    .integer()
    .min(1)
    .default(20)
    .messages({ '*': 'how many mails may go out within an hour' }),
  ALERTS_PER_DAY: Joi.number()
    .integer()
    .min(1)
    .default(100)
    .messages({ '*': 'how many mails may go out within a day' }),
  DISK_LOW_PERCENT: Joi.number().min(0).max(100).default(15).messages({
    '*': 'below how many percent of free disk that is mailed; at 10 the receivers refuse',
  }),
  MEMORY_LOW_PERCENT: Joi.number()
    .min(0)
    .max(100)
    .default(5)
    .messages({ '*': 'below how many percent of available memory that is mailed' }),
  CERTIFICATE_OF: Joi.string()
    .pattern(/^[A-Za-z0-9.-]+(:\d{1,5})?$/)
    .messages({ '*': 'whose certificate is looked at: host or host:port' }),
  CERTIFICATE_DAYS: Joi.number()
    .integer()
    .min(0)
    .default(7)
    .messages({ '*': 'how many days before its end a certificate is mailed' }),
  HEARTBEAT_URL: Joi.string()
    .uri({ scheme: ['http', 'https'] })
    .messages({
      '*': 'what is fetched whenever a canary event has come the whole way: the ping URL of a dead man’s switch, such as healthchecks.io',
    }),
  ...heartbeatKeys,
  FULFILMENT_URL: Joi.string()
    .uri({ scheme: ['http', 'https'] })
    .messages({ '*': 'the URL of your own program that is told of payments' }),
  FULFILMENT_SECRET: secretList(
    'what those calls are signed with: whsec_ and 24 to 64 bytes in base64',
    Joi.string().pattern(/^whsec_[A-Za-z0-9+/]{32,88}={0,2}$/),
  ),
  TELEGRAM_BOT_TOKEN: Joi.string()
    .pattern(/^\d{1,20}:[A-Za-z0-9_-]{30,64}$/)
    .messages({ '*': "the bot's token, as @BotFather gave it" }),
  TELEGRAM_API_URL: Joi.string()
    .uri({ scheme: ['http', 'https'] })
    .pattern(/[^/]$/)
    .default('https://api.telegram.org')
    .description('where the Bot API is, without a slash at its end')
    .messages({ '*': 'the URL of the API, without a slash at its end' }),
  MESSAGE_LANGUAGE: Joi.string()
    .valid('ru', 'en')
    .default('ru')
    .description('the language of messages to payers whose own is not known: ru or en')
    .messages({ '*': 'ru or en, for payers whose language is not known' }),
  MESSAGES: Joi.string()
    .default('{}')
    .custom((text: string, helpers) =>
      parseMessages(text) === null ? helpers.error('any.invalid') : text,
    )
    .example('{"en":{"subscribed":"{plan} runs until {until}."}}')
    .messages({ '*': 'an object in JSON: by language and name, your own words for a message' }),
});

/** What no line of the log may show. */
export function secretsOf(config: CourierConfig): readonly string[] {
  const { DATABASE_URL, REDIS_URL, SMTP_URL, FULFILMENT_SECRET, TELEGRAM_BOT_TOKEN } = config;
  const { HEARTBEAT_URL = '' } = config;
  const passwords = [DATABASE_URL, REDIS_URL, SMTP_URL ?? '']
    .filter((url) => URL.canParse(url))
    .map((url) => decodeURIComponent(new URL(url).password));
  return [...passwords, ...(FULFILMENT_SECRET ?? []), TELEGRAM_BOT_TOKEN ?? '', HEARTBEAT_URL];
}
