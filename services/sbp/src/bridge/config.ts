import Joi from 'joi';
import { secretList } from '@kopeck/runtime/config';

export interface BridgeConfig {
  readonly BRIDGE_URL?: string;
  /** The first is sent with our requests; callbacks may come with any. */
  readonly BRIDGE_TOKEN?: string[];
  readonly CARD_NUMBER?: string;
  readonly CARD_OWNER?: string;
}

const withUrl = { not: Joi.exist(), otherwise: Joi.required() };

export const bridgeKeys = {
  BRIDGE_URL: Joi.string()
    .uri({ scheme: ['https', 'http'] })
    .pattern(/[^/]$/)
    .messages({ '*': 'where your own upstream takes POST and GET, without a slash at the end' }),
  BRIDGE_TOKEN: secretList(
    'what the bridge and Kopeck send each other as Authorization: Bearer',
  ).when('BRIDGE_URL', withUrl),
  CARD_NUMBER: Joi.string()
    .pattern(/^\d{12,19}$/)
    .when('BRIDGE_URL', withUrl)
    .messages({ '*': 'the number of the card the upstream pays to: 12 to 19 digits' }),
  CARD_OWNER: Joi.string()
    .min(2)
    .max(100)
    .when('BRIDGE_URL', withUrl)
    .messages({ '*': 'the name on that card' }),
};

export interface Upstream {
  readonly url: string;
  readonly tokens: readonly string[];
  readonly cardNumber: string;
  readonly cardOwner: string;
}

export function upstreamOf(config: BridgeConfig): Upstream | null {
  const { BRIDGE_URL: url, BRIDGE_TOKEN: tokens } = config;
  const { CARD_NUMBER: cardNumber, CARD_OWNER: cardOwner } = config;
  if (url === undefined || tokens === undefined) return null;
  if (cardNumber === undefined || cardOwner === undefined) return null;
  return { url, tokens, cardNumber, cardOwner };
}
