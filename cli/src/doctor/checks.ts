import type { Check } from './check.ts';
import { CRYPTOBOT_CHECKS } from './cryptobot.ts';
import { DELIVERY_CHECKS } from './deliveries.ts';
import { PAYMENT_CHECKS } from './payments.ts';
import { TELEGRAM_CHECKS } from './telegram.ts';

/** All that `kopeck doctor` looks at, in the order in which it is told. */
export const CHECKS: readonly Check[] = [
  ...TELEGRAM_CHECKS,
  ...CRYPTOBOT_CHECKS,
  ...DELIVERY_CHECKS,
  ...PAYMENT_CHECKS,
];
