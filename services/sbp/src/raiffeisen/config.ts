import Joi from 'joi';
import { secretList } from '@kopeck/runtime/config';

export interface RaiffeisenConfig {
  readonly RAIFFEISEN_URL: string;
  /** The first signs our requests; callbacks may be signed with any. */
  readonly RAIFFEISEN_SECRET_KEY?: string[];
  readonly RAIFFEISEN_SBP_MERCHANT_ID?: string;
}

export const raiffeisenKeys = {
  RAIFFEISEN_URL: Joi.string()
    .uri({ scheme: ['https', 'http'] })
    .pattern(/[^/]$/)
    .default('https://pay.raif.ru/api')
    .description('the base of the API of Raiffeisenbank, without a slash at the end')
    .messages({ '*': 'the base of the bank’s API, without a slash at the end' }),
  RAIFFEISEN_SECRET_KEY: secretList(
    'the secret key from the bank’s cabinet, at least 32 characters',
  ),
  RAIFFEISEN_SBP_MERCHANT_ID: Joi.string()
    .pattern(/^[A-Z0-9]{2,12}$/)
    .when('RAIFFEISEN_SECRET_KEY', { not: Joi.exist(), otherwise: Joi.required() })
    .messages({ '*': 'the SBP merchant id the bank gave you: MA and ten digits' }),
};

export interface RaiffeisenMerchant {
  readonly url: string;
  readonly secretKeys: readonly string[];
  readonly sbpMerchantId: string;
}

/** Null: no credentials are configured, so nothing can be asked nor believed. */
export function merchantOf(config: RaiffeisenConfig): RaiffeisenMerchant | null {
  const { RAIFFEISEN_SECRET_KEY: secretKeys, RAIFFEISEN_SBP_MERCHANT_ID: sbpMerchantId } = config;
  if (secretKeys === undefined || sbpMerchantId === undefined) return null;
  return { url: config.RAIFFEISEN_URL, secretKeys, sbpMerchantId };
}
