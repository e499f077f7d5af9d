import Joi from 'joi';
import { secretList } from '@kopeck/runtime/config';

export interface EpnConfig {
  /** Undefined: nothing is configured, and every postback is refused with 503. */
  readonly EPN_SECRET_TOKEN?: string[];
  readonly EPN_DEFAULT_CURRENCY: string;
}

export const epnKeys = {
  EPN_SECRET_TOKEN: secretList(
    'the secret end of the postback URL: at least 32 letters, digits, - and _',
    Joi.string().pattern(/^[A-Za-z0-9_-]{32,}$/),
  ),
  EPN_DEFAULT_CURRENCY: Joi.string()
    .pattern(/^[A-Z0-9]{2,16}$/)
    .required()
    .messages({ '*': 'the currency of a postback that names none: RUB' }),
};
