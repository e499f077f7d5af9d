import { createHash } from 'node:crypto';
import Joi from 'joi';
import type { Network } from '@kopeck/core/event';
import { secretList } from '@kopeck/runtime/config';
import { apiUrl } from '../api-url.ts';

/** Neither is required: without a token the webhook answers 503 and the service says why. */
export interface CryptobotCredentials {
  readonly CRYPTOBOT_TOKEN?: string[];
  readonly CRYPTOBOT_TESTNET_TOKEN?: string[];
}

export interface CryptobotConfig extends CryptobotCredentials {
  readonly CRYPTOBOT_API_URL: string;
  readonly CRYPTOBOT_TESTNET_API_URL: string;
}

/** Twenty digits keep the subject of a payment, with an invoice id of 255, within its 300 characters. */
const TOKEN = Joi.string().pattern(/^\d{1,20}:[A-Za-z0-9]{35}$/);

export const cryptobotKeys = {
  CRYPTOBOT_TOKEN: secretList('the Crypto Pay tokens of your apps in @CryptoBot', TOKEN),
  // A test token among the main ones would make worthless coins settle real orders.
  CRYPTOBOT_TESTNET_TOKEN: secretList(
    'the tokens of your apps in @CryptoTestnetBot, none of which is in CRYPTOBOT_TOKEN',
    TOKEN.invalid(Joi.in('...CRYPTOBOT_TOKEN')),
  ),
  CRYPTOBOT_API_URL: apiUrl('https://pay.crypt.bot/api', 'the API of Crypto Pay'),
  CRYPTOBOT_TESTNET_API_URL: apiUrl('https://testnet-pay.crypt.bot/api', 'its test network'),
};

/** An app of Crypto Pay, as its token tells: there is no separate webhook secret. */
export interface CryptobotApp {
  readonly app: string;
  readonly network: Network;
  readonly key: Buffer;
}

export function appsOf(config: CryptobotCredentials): readonly CryptobotApp[] {
  const { CRYPTOBOT_TOKEN = [], CRYPTOBOT_TESTNET_TOKEN = [] } = config;
  return [
    ...CRYPTOBOT_TOKEN.map((token) => appOf(token, 'main')),
    ...CRYPTOBOT_TESTNET_TOKEN.map((token) => appOf(token, 'test')),
  ];
}

/** The key of the signature is the raw digest of the token, not its hex text. */
function appOf(token: string, network: Network): CryptobotApp {
  const key = createHash('sha256').update(token).digest();
  return { app: token.slice(0, token.indexOf(':')), network, key };
}
