import Joi from 'joi';
import { serverKeys, type ServerConfig } from '../server-config.ts';

/** One server of the sandbox: `url` is `http://127.0.0.1:9100/panel`. */
export interface SandboxPanelConfig extends ServerConfig {
  readonly kind: 'sandbox';
  readonly token: string;
}

export const sandboxPanelConfig = Joi.object<SandboxPanelConfig>({
  kind: Joi.string().valid('sandbox').required(),
  ...serverKeys,
  token: Joi.string().required(),
}).oxor('pinSha256', 'caPem');
