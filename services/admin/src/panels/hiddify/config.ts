import Joi from 'joi';
import { serverKeys, type ServerConfig } from '../server-config.ts';

/** `url` is the bare origin: Hiddify has two secret paths, one for admins and one for users. */
export interface HiddifyConfig extends ServerConfig {
  readonly kind: 'hiddify';
  readonly adminPath: string;
  readonly clientPath: string;
  /** The admin's uuid. */
  readonly token: string;
}

const path = Joi.string()
  .pattern(/^[A-Za-z0-9_-]+$/)
  .required();

export const hiddifyConfig = Joi.object<HiddifyConfig>({
  kind: Joi.string().valid('hiddify').required(),
  ...serverKeys,
  adminPath: path,
  clientPath: path,
  token: Joi.string().required(),
}).oxor('pinSha256', 'caPem');
