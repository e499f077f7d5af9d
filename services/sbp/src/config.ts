import Joi from 'joi';
import {
  databaseKeys,
  port,
  receiverKeys,
  secretList,
  type ReceiverConfig,
} from '@kopeck/runtime/config';
import type { ProviderCode } from './provider.ts';
import {
  credentialsOf,
  isConfigured,
  providerKeys,
  PROVIDERS,
  providerSecrets,
  type ProvidersConfig,
} from './providers.ts';

interface ServiceConfig extends ReceiverConfig {
  readonly SBP_PORT: number;
  readonly SBP_METRICS_PORT: number;
  readonly DATABASE_URL: string;
  readonly WEBHOOK_API_TOKEN: string[];
  readonly SBP_PROVIDER: ProviderCode;
  readonly SBP_TTL_MINUTES: number;
  readonly SBP_STATUS_STYLE: 'kopeck' | 'legacy';
  readonly SBP_PUBLIC_URL?: string;
  readonly SBP_EXTRA_CA?: string;
}

export type SbpConfig = ServiceConfig & ProvidersConfig;

const serviceConfig = Joi.object<ServiceConfig, true>({
  ...receiverKeys,
  ...databaseKeys,
  SBP_PORT: port(5000),
  SBP_METRICS_PORT: port(9001, 'the port of /ready and /metrics'),
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
  SBP_STATUS_STYLE: Joi.string()
    .valid('kopeck', 'legacy')
    .default('kopeck')
    .messages({ '*': 'kopeck, or legacy for shops that know pending, completed and failed only' }),
  SBP_PUBLIC_URL: Joi.string()
    .uri({ scheme: ['https', 'http'] })
    .pattern(/[^/]$/)
    .messages({
      '*': 'how payers reach this service, without a slash at the end: https://pay.shop',
    }),
  SBP_EXTRA_CA: Joi.string()
    .pattern(/-----BEGIN CERTIFICATE-----/)
    .messages({
      '*': 'PEM of a root to believe besides the usual, such as Russian Trusted Root CA',
    }),
});

export const sbpConfig = serviceConfig.append(
  providerKeys,
) as unknown as Joi.ObjectSchema<SbpConfig>;

/** What is refused for want of credentials, for the operator to read. */
export function warningsOf(config: SbpConfig): readonly string[] {
  const { SBP_PROVIDER: provider } = config;
  if (isConfigured(config, provider)) return [];
  return [`${provider} is not configured and answers 503: set ${credentialsOf(provider)}`];
}

/** What no line of the log may show. */
export function secretsOf(config: SbpConfig): readonly string[] {
  return [...config.WEBHOOK_API_TOKEN, ...providerSecrets(config)];
}
