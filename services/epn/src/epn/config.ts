import Joi from 'joi';
import { secretList } from '@kopeck/runtime/config';
import type { AffiliateType, Network } from '../network.ts';

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

/** Their words on the left, those of the cabinet and the aliases seen in the wild; ours on the right. */
const STATUSES: ReadonlyMap<string, AffiliateType> = new Map([
  ['waiting', 'affiliate.waiting'],
  ['open', 'affiliate.waiting'],
  ['pending', 'affiliate.pending'],
  ['hold', 'affiliate.pending'],
  ['completed', 'affiliate.completed'],
  ['confirmed', 'affiliate.completed'],
  ['approved', 'affiliate.completed'],
  ['rejected', 'affiliate.rejected'],
  ['cancelled', 'affiliate.rejected'],
  ['canceled', 'affiliate.rejected'],
  ['declined', 'affiliate.rejected'],
]);

/** EPN's names for its fields are ours. */
export function epnNetwork({ EPN_DEFAULT_CURRENCY }: EpnConfig): Network {
  return {
    partner: 'epn_bz',
    parameters: null,
    statuses: STATUSES,
    times: {},
    decimalComma: false,
    required: [],
    syntheticFrom: ['order_number', 'offer_id', 'offer_type', 'click_id'],
    defaultCurrency: EPN_DEFAULT_CURRENCY,
    complains: true,
  };
}
