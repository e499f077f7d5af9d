import Joi from 'joi';
import { serverKeys, type ServerConfig } from '../server-config.ts';

/** Marzban, or PasarGuard, its successor, which also takes an API key in place of a login. */
export interface MarzbanConfig extends ServerConfig {
  readonly kind: 'marzban' | 'pasarguard';
  readonly username?: string;
  readonly password?: string;
  readonly apiKey?: string;
}

export const marzbanConfig = Joi.object<MarzbanConfig>({
  kind: Joi.string().valid('marzban', 'pasarguard').required(),
  ...serverKeys,
  username: Joi.string(),
  password: Joi.string(),
  apiKey: Joi.string(),
})
  .oxor('pinSha256', 'caPem')
  .xor('apiKey', 'username')
  .and('username', 'password');
