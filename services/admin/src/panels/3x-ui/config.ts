import Joi from 'joi';
import { address, serverKeys, type ServerConfig } from '../server-config.ts';

/** One 3x-ui panel: an API token (3.0.2 and newer; to be preferred), or a login. */
export interface ThreeXUiConfig extends ServerConfig {
  readonly kind: '3x-ui';
  readonly token?: string;
  readonly username?: string;
  readonly password?: string;
  /** Of the subscription server, another listener of the panel: default `https://<host>:2096/sub`. */
  readonly subscriptionUrl?: string;
}

export const threeXUiConfig = Joi.object<ThreeXUiConfig>({
  kind: Joi.string().valid('3x-ui').required(),
  ...serverKeys,
  token: Joi.string(),
  username: Joi.string(),
  password: Joi.string(),
  subscriptionUrl: address,
})
  .oxor('pinSha256', 'caPem')
  .or('token', 'username')
  .and('username', 'password');
