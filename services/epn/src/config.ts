import Joi from 'joi';
import { port, receiverKeys, type ReceiverConfig } from '@kopeck/runtime/config';
import { epnKeys, type EpnConfig } from './epn/config.ts';
import type { NetworksConfig } from './load-networks.ts';
import { namedSecretList, namedSecrets } from './named-secrets.ts';
import type { ConfiguredNetwork } from './network/config.ts';
import { statsKeys, type StatsConfig } from './stats/config.ts';
import { svixKeys, type SvixConfig } from './svix/config.ts';

export interface EpnServiceConfig
  extends ReceiverConfig, EpnConfig, NetworksConfig, SvixConfig, StatsConfig {
  readonly EPN_PORT: number;
  readonly EPN_METRICS_PORT: number;
  /** What a postback is told while the ledger's database is down. It is kept in both cases. */
  readonly EPN_LEDGER_DOWN: 'refuse' | 'accept';
}

export const epnServiceConfig = Joi.object<EpnServiceConfig, true>({
  ...receiverKeys,
  ...epnKeys,
  ...svixKeys,
  ...statsKeys,
  EPN_PORT: port(8090),
  EPN_METRICS_PORT: port(9003, 'the port of /ready and /metrics'),
  EPN_LEDGER_DOWN: Joi.string()
    .valid('refuse', 'accept')
    .default('refuse')
    .description("what a postback is told while the ledger's database is away: refuse or accept")
    .messages({ '*': 'refuse (503, kept all the same) or accept (200)' }),
  AFFILIATE_NETWORKS_DIR: Joi.string().messages({
    '*': 'a folder of mapping files, one for each other affiliate network',
  }),
  AFFILIATE_NETWORKS: Joi.string().messages({
    '*': 'mappings of other affiliate networks as a list in JSON',
  }),
  AFFILIATE_TOKENS: namedSecretList(
    'the network and the secret end of its postback URL: admitad:<at least 32 letters, digits, - and _>',
    /[A-Za-z0-9_-]{32,}/,
  ),
});

/** What is refused for want of credentials, for the operator to read. */
export function warningsOf(
  { EPN_SECRET_TOKEN }: EpnServiceConfig,
  networks: readonly ConfiguredNetwork[] = [],
): readonly string[] {
  const epn =
    EPN_SECRET_TOKEN === undefined
      ? ['EPN is not configured and answers 503: set EPN_SECRET_TOKEN']
      : [];
  const others = networks
    .filter(({ tokens }) => tokens.length === 0)
    .map(({ partner }) => `${partner} has no token and is answered 503: set AFFILIATE_TOKENS`);
  return [...epn, ...others];
}

/** What no line of the log may show. */
export function secretsOf(config: EpnServiceConfig): readonly string[] {
  const { EPN_SECRET_TOKEN = [], AFFILIATE_TOKENS, SVIX_SECRETS } = config;
  const named = [...namedSecrets([...AFFILIATE_TOKENS, ...SVIX_SECRETS]).values()].flat();
  const { EPN_STATS_REFRESH_TOKEN, EPN_STATS_CLIENT_SECRET, EPN_STATS_KEY } = config;
  const stats = [EPN_STATS_REFRESH_TOKEN, EPN_STATS_CLIENT_SECRET, EPN_STATS_KEY];
  return [...EPN_SECRET_TOKEN, ...named, ...stats.filter((secret) => secret !== undefined)];
}
