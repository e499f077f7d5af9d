import Joi from 'joi';
import {
  databaseKeys,
  port,
  receiverKeys,
  secretList,
  type ReceiverConfig,
} from '@kopeck/runtime/config';
import { PROVIDERS, type ProviderCode } from './provider.ts';
import { merchantOf, raiffeisenKeys, type RaiffeisenConfig } from './raiffeisen/config.ts';

export interface SbpConfig extends ReceiverConfig, RaiffeisenConfig {
  readonly SBP_PORT: number;
  readonly SBP_METRICS_PORT: number;
  readonly DATABASE_URL: string;
  readonly WEBHOOK_API_TOKEN: string[];
  readonly SBP_PROVIDER: ProviderCode;
  readonly SBP_TTL_MINUTES: number;
}

export const sbpConfig = Joi.object<SbpConfig, true>({
  ...receiverKeys,
  ...databaseKeys,
  ...raiffeisenKeys,
  SBP_PORT: port(5000),
  SBP_METRICS_PORT: port(9001),
  WEBHOOK_API_TOKEN: secretList(
    'what shops send as Authorization: Bearer, at least 32 characters',
  ).required(),
  SBP_PROVIDER: Joi.string()
    .valid(...PROVIDERS)
    .default('raiffeisen')
    .messages({ '*': `who makes new QR codes: ${PROVIDERS.join(', ')}` }),
  SBP_TTL_MINUTES: Joi.number()
    .integer()
    .min(1)
    .max(129_600)
    .default(60)
    .messages({ '*': 'for how many minutes a QR code can be paid: 1 to 129600' }),
});

/** What is refused for want of credentials, for the operator to read. */
export function warningsOf(config: SbpConfig): readonly string[] {
  if (merchantOf(config) !== null) return [];
  return [
    'raiffeisen is not configured and answers 503: ' +
      'set RAIFFEISEN_SECRET_KEY and RAIFFEISEN_SBP_MERCHANT_ID',
  ];
}

/** What no line of the log may show. */
export function secretsOf(config: SbpConfig): readonly string[] {
  return [...config.WEBHOOK_API_TOKEN, ...(config.RAIFFEISEN_SECRET_KEY ?? [])];
}
