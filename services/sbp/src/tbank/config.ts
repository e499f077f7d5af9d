import Joi from 'joi';
import { secretList } from '@kopeck/runtime/config';

export interface TbankConfig {
  readonly TBANK_URL: string;
  readonly TBANK_TERMINAL_KEY?: string;
  /** The first signs our requests; callbacks may be signed with any. */
  readonly TBANK_PASSWORD?: string[];
}

export const tbankKeys = {
  TBANK_URL: Joi.string()
    .uri({ scheme: ['https', 'http'] })
    .pattern(/[^/]$/)
    .default('https://securepay.tinkoff.ru/v2')
    .description('the base of the API of T-Bank, without a slash at the end')
    .messages({ '*': 'the base of the bank’s API, without a slash at the end' }),
  TBANK_TERMINAL_KEY: Joi.string()
    .pattern(/^[A-Za-z0-9_-]{1,20}$/)
    .when('TBANK_PASSWORD', { not: Joi.exist(), otherwise: Joi.required() })
    .messages({ '*': 'the terminal’s key from the bank’s cabinet; it ends in DEMO for tests' }),
  TBANK_PASSWORD: secretList('the terminal’s password', Joi.string().min(8)),
};

export interface TbankTerminal {
  readonly url: string;
  readonly terminalKey: string;
  readonly passwords: readonly string[];
}

export function terminalOf(config: TbankConfig): TbankTerminal | null {
  const { TBANK_URL: url, TBANK_TERMINAL_KEY: terminalKey, TBANK_PASSWORD: passwords } = config;
  return terminalKey === undefined || passwords === undefined
    ? null
    : { url, terminalKey, passwords };
}
