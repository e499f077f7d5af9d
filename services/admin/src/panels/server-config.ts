import Joi from 'joi';
import type { TlsTrust } from './tls.ts';

/** What the configuration of every panel can say. */
export interface ServerConfig extends TlsTrust {
  /** Where the panel's own paths begin, its secret base path included, without a slash at the end. */
  readonly url: string;
  readonly concurrency?: number;
  readonly perSecond?: number;
  /** Parameters of links that the panel picks anew each time (`sni`, `host`, `sid`). */
  readonly volatile?: readonly string[];
}

/** http(s) and nothing else: an address of the operator's must not reach into the machine. */
export const address = Joi.string()
  .uri({ scheme: ['http', 'https'] })
  .pattern(/[^/]$/);

export const serverKeys = {
  url: address.required(),
  pinSha256: Joi.string().pattern(/^([0-9a-f]{2}:?){31}[0-9a-f]{2}$/i),
  caPem: Joi.string().pattern(/^-----BEGIN CERTIFICATE-----/),
  concurrency: Joi.number().integer().min(1).max(64),
  perSecond: Joi.number().min(0.1).max(1_000),
  volatile: Joi.array().items(Joi.string().max(32)).max(16),
};
