import Joi from 'joi';
import { port, receiverKeys, type ReceiverConfig } from '@kopeck/runtime/config';
import { epnKeys, type EpnConfig } from './epn/config.ts';

export interface EpnServiceConfig extends ReceiverConfig, EpnConfig {
  readonly EPN_PORT: number;
  readonly EPN_METRICS_PORT: number;
  /** What a postback is told while the ledger's database is down. It is kept in both cases. */
  readonly EPN_LEDGER_DOWN: 'refuse' | 'accept';
}

export const epnServiceConfig = Joi.object<EpnServiceConfig, true>({
  ...receiverKeys,
  ...epnKeys,
  EPN_PORT: port(8090),
  EPN_METRICS_PORT: port(9003),
  EPN_LEDGER_DOWN: Joi.string()
    .valid('refuse', 'accept')
    .default('refuse')
    .messages({ '*': 'refuse (503, kept all the same) or accept (200)' }),
});

/** What is refused for want of credentials, for the operator to read. */
export function warningsOf({ EPN_SECRET_TOKEN }: EpnServiceConfig): readonly string[] {
  if (EPN_SECRET_TOKEN !== undefined) return [];
  return ['EPN is not configured and answers 503: set EPN_SECRET_TOKEN'];
}

/** What no line of the log may show. */
export function secretsOf({ EPN_SECRET_TOKEN = [] }: EpnServiceConfig): readonly string[] {
  return EPN_SECRET_TOKEN;
}
