import type { Check } from './check.ts';
import { CRYPTOBOT_CHECKS } from './cryptobot.ts';
import { DATABASE_CHECKS } from './database.ts';
import { DELIVERY_CHECKS } from './deliveries.ts';
import { MAIL_CHECKS } from './mail.ts';
import { PAYMENT_CHECKS } from './payments.ts';
import { REDIS_CHECKS } from './redis.ts';
import { SERVICE_CHECKS } from './services.ts';
import { TELEGRAM_CHECKS } from './telegram.ts';

/** All that `kopeck doctor` looks at, in the order in which it is told. */
export const CHECKS: readonly Check[] = [
  ...DATABASE_CHECKS,
  ...REDIS_CHECKS,
  ...SERVICE_CHECKS,
  ...MAIL_CHECKS,
  ...TELEGRAM_CHECKS,
  ...CRYPTOBOT_CHECKS,
  ...DELIVERY_CHECKS,
  ...PAYMENT_CHECKS,
];
