import Joi from 'joi';
import { secretKey } from '@kopeck/runtime/config';

export interface YookassaConfig {
  readonly YOOKASSA_URL: string;
  readonly YOOKASSA_SHOP_ID?: string;
  readonly YOOKASSA_SECRET_KEY?: string;
}

export const yookassaKeys = {
  YOOKASSA_URL: Joi.string()
    .uri({ scheme: ['https', 'http'] })
    .pattern(/[^/]$/)
    .default('https://api.yookassa.ru/v3')
    .description('the base of the API of YooKassa, without a slash at the end')
    .messages({ '*': 'the base of the API, without a slash at the end' }),
  YOOKASSA_SHOP_ID: Joi.string()
    .pattern(/^\d{1,20}$/)
    .when('YOOKASSA_SECRET_KEY', { not: Joi.exist(), otherwise: Joi.required() })
    .messages({ '*': 'the shop’s number from the cabinet of YooKassa' }),
  YOOKASSA_SECRET_KEY: secretKey('the secret key from the cabinet of YooKassa, live_… or test_…'),
};

export interface YookassaShop {
  readonly url: string;
  readonly shopId: string;
  readonly secretKey: string;
}

export function shopOf(config: YookassaConfig): YookassaShop | null {
  const { YOOKASSA_URL: url, YOOKASSA_SHOP_ID: shopId, YOOKASSA_SECRET_KEY: key } = config;
  return shopId === undefined || key === undefined ? null : { url, shopId, secretKey: key };
}
