import Joi from 'joi';

/** Where a partner's API is; a sandbox in its place needs nothing but another URL. */
export function apiUrl(fallback: string, whose: string): Joi.StringSchema {
  return Joi.string()
    .uri({ scheme: ['http', 'https'] })
    .pattern(/[^/]$/)
    .default(fallback)
    .description(`where ${whose} is, without a slash at its end`)
    .messages({ '*': 'the URL of the API, without a slash at its end' });
}
