import Joi from 'joi';

/** EPN's statistics API. Without a client id nothing of it is asked. */
export interface StatsConfig {
  readonly EPN_STATS_CLIENT_ID?: string;
  /** The first refresh token. Later ones are kept in a file, encrypted. */
  readonly EPN_STATS_REFRESH_TOKEN?: string;
  /** Signs in where there is no refresh token, or it is no longer accepted. */
  readonly EPN_STATS_CLIENT_SECRET?: string;
  /** 64 hex digits: encrypts that file. */
  readonly EPN_STATS_KEY?: string;
  readonly EPN_STATS_URL: string;
  readonly EPN_STATS_OAUTH_URL: string;
  readonly EPN_STATS_EVERY_HOURS: number;
}

const url = (what: string, fallback: string): Joi.StringSchema =>
  Joi.string()
    .uri({ scheme: ['http', 'https'] })
    .default(fallback)
    .messages({ '*': what });

/** Needed as soon as there is a client id. */
const withClient = (schema: Joi.StringSchema): Joi.StringSchema =>
  schema.when('EPN_STATS_CLIENT_ID', { not: Joi.exist(), otherwise: Joi.required() });

export const statsKeys = {
  EPN_STATS_CLIENT_ID: Joi.string().messages({ '*': 'the client id of the statistics API of EPN' }),
  EPN_STATS_REFRESH_TOKEN: withClient(Joi.string())
    .when('EPN_STATS_CLIENT_SECRET', { not: Joi.exist(), otherwise: Joi.optional() })
    .messages({
      '*': 'the first refresh token of the statistics API; not needed with EPN_STATS_CLIENT_SECRET',
    }),
  EPN_STATS_CLIENT_SECRET: Joi.string().messages({
    '*': 'the client secret of the statistics API: signs in anew, at most once a day',
  }),
  EPN_STATS_KEY: withClient(Joi.string().pattern(/^[0-9a-f]{64}$/)).messages({
    '*': '64 hex digits that encrypt the refresh token on disk: openssl rand -hex 32',
  }),
  EPN_STATS_URL: url('the address of the statistics API', 'https://app.epn.bz'),
  EPN_STATS_OAUTH_URL: url('the address that gives its tokens', 'https://oauth2.epn.bz'),
  EPN_STATS_EVERY_HOURS: Joi.number()
    .min(0.1)
    .max(48)
    .default(6)
    .messages({ '*': 'hours between two looks, 0.1 to 48' }),
};
