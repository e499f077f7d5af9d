import Joi from 'joi';
import { secretKey } from '@kopeck/runtime/config';

export interface TochkaConfig {
  readonly TOCHKA_URL: string;
  readonly TOCHKA_KEYS_URL: string;
  readonly TOCHKA_TOKEN?: string;
  readonly TOCHKA_MERCHANT_ID?: string;
  readonly TOCHKA_ACCOUNT_ID?: string;
  readonly TOCHKA_CUSTOMER_CODE?: string;
}

const url = Joi.string().uri({ scheme: ['https', 'http'] });
const withToken = { not: Joi.exist(), otherwise: Joi.required() };

export const tochkaKeys = {
  TOCHKA_URL: url
    .pattern(/[^/]$/)
    .default('https://enter.tochka.com/uapi')
    .description('the base of the API of Tochka, without a slash at the end')
    .messages({ '*': 'the base of the bank’s API, without a slash at the end' }),
  TOCHKA_KEYS_URL: url
    .default('https://enter.tochka.com/doc/openapi/static/keys/public')
    .messages({ '*': 'where the bank publishes the key that its callbacks are signed with' }),
  TOCHKA_TOKEN: secretKey('the JWT from the bank’s page "Интеграции и API"'),
  TOCHKA_MERCHANT_ID: Joi.string()
    .pattern(/^[A-Z0-9]{2,20}$/)
    .when('TOCHKA_TOKEN', withToken)
    .messages({ '*': 'the SBP merchant id the bank gave you: MF and ten digits' }),
  TOCHKA_ACCOUNT_ID: Joi.string()
    .pattern(/^\d{20}\/\d{9}$/)
    .when('TOCHKA_TOKEN', withToken)
    .messages({ '*': 'the account and the bank’s BIC: 20 digits, a slash, 9 digits' }),
  TOCHKA_CUSTOMER_CODE: Joi.string()
    .pattern(/^[A-Za-z0-9]{1,20}$/)
    .messages({
      '*': 'the bank’s number of you as a customer: with it payments are found that are older than a day',
    }),
};

export interface TochkaMerchant {
  readonly url: string;
  readonly keysUrl: string;
  readonly token: string;
  readonly merchantId: string;
  /** `<account>/<bic>`. */
  readonly accountId: string;
  /** Null: only what is younger than a day can be read. */
  readonly customerCode: string | null;
}

export function merchantOf(config: TochkaConfig): TochkaMerchant | null {
  const { TOCHKA_TOKEN: token, TOCHKA_MERCHANT_ID: merchantId } = config;
  const { TOCHKA_ACCOUNT_ID: accountId, TOCHKA_URL, TOCHKA_KEYS_URL: keysUrl } = config;
  if (token === undefined || merchantId === undefined || accountId === undefined) return null;
  const customerCode = config.TOCHKA_CUSTOMER_CODE ?? null;
  return { url: TOCHKA_URL, keysUrl, token, merchantId, accountId, customerCode };
}
