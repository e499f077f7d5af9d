import Joi from 'joi';

/** One server of the sandbox. */
export interface SandboxPanelConfig {
  readonly kind: 'sandbox';
  /** `http://127.0.0.1:9100/panel`, without a slash at its end. */
  readonly url: string;
  readonly token: string;
}

export const sandboxPanelConfig = Joi.object<SandboxPanelConfig, true>({
  kind: Joi.string().valid('sandbox').required(),
  url: Joi.string()
    .uri({ scheme: ['http', 'https'] })
    .required(),
  token: Joi.string().required(),
});
