import Joi from 'joi';

/** Where a partner's API is; a sandbox in its place needs nothing but another URL. */
export function apiUrl(fallback: string): Joi.StringSchema {
  return Joi.string()
    .uri({ scheme: ['http', 'https'] })
    .pattern(/[^/]$/)
    .default(fallback)
    .messages({ '*': 'the URL of the API, without a slash at its end' });
}
