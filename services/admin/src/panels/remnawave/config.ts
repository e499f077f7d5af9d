import Joi from 'joi';
import { serverKeys, type ServerConfig } from '../server-config.ts';

/** An API token of the dashboard: of an admin's login Remnawave takes none. */
export interface RemnawaveConfig extends ServerConfig {
  readonly kind: 'remnawave';
  readonly token: string;
}

export const remnawaveConfig = Joi.object<RemnawaveConfig>({
  kind: Joi.string().valid('remnawave').required(),
  ...serverKeys,
  token: Joi.string().required(),
}).oxor('pinSha256', 'caPem');
