import Joi from 'joi';
import { databaseKeys, httpKeys, port, redisKeys } from '@kopeck/runtime/config';
import type { HttpConfig } from '@kopeck/runtime/config';

export interface CourierConfig extends HttpConfig {
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
}

export const courierConfig = Joi.object<CourierConfig, true>({
  ...httpKeys,
  COURIER_PORT: port(8060),
  COURIER_METRICS_PORT: port(9006),
  DATABASE_URL: databaseKeys.DATABASE_URL,
  REDIS_URL: redisKeys.REDIS_URL,
  REDIS_PREFIX: redisKeys.REDIS_PREFIX,
  SMTP_URL: Joi.string()
    .uri({ scheme: ['smtp', 'smtps'] })
    .messages({ '*': 'the mail server: smtps://user:password@host:465' }),
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
});

/** What no line of the log may show. */
export function secretsOf({ DATABASE_URL, REDIS_URL, SMTP_URL }: CourierConfig): readonly string[] {
  return [DATABASE_URL, REDIS_URL, SMTP_URL ?? '']
    .filter((url) => URL.canParse(url))
    .map((url) => decodeURIComponent(new URL(url).password));
}
