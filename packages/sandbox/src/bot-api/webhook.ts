import { isIP } from 'node:net';
import Joi from 'joi';
import { refusal, type Method } from './methods.ts';

const PORTS = ['', '443', '80', '88', '8443'];

interface SetWebhook {
  readonly url: string;
  readonly secret_token?: string;
  readonly allowed_updates?: readonly string[];
}

const SET_WEBHOOK = Joi.object<SetWebhook>({
  url: Joi.string().allow('').required(),
  secret_token: Joi.string(),
  allowed_updates: Joi.array().items(Joi.string()),
}).unknown();

const setWebhook: Method = ({ knobs }, parameters) => {
  const { value, error } = SET_WEBHOOK.validate(parameters);
  if (error !== undefined) return refusal(400, 'Bad Request: bad webhook');
  const problem = problemOf(value);
  if (problem !== null) return refusal(400, `Bad Request: ${problem}`);

  const { url, secret_token: secret, allowed_updates: allowedUpdates } = value;
  knobs.current = {
    ...knobs.current,
    webhookUrl: url === '' ? null : url,
    secret: secret ?? '',
    // Left out, the list that was set before stays.
    ...(allowedUpdates === undefined ? {} : { allowedUpdates }),
  };
  return true;
};

const deleteWebhook: Method = ({ knobs }) => {
  knobs.current = { ...knobs.current, webhookUrl: null };
  return true;
};

const getWebhookInfo: Method = ({ knobs, updates }) => {
  const { webhookUrl, allowedUpdates } = knobs.current;
  const { pending, lastError } = updates.troubles();
  return {
    url: webhookUrl ?? '',
    has_custom_certificate: false,
    pending_update_count: pending,
    ...(lastError === null
      ? {}
      : { last_error_date: lastError.date, last_error_message: lastError.message }),
    max_connections: 40,
    ...(allowedUpdates.length === 0 ? {} : { allowed_updates: allowedUpdates }),
  };
};

function problemOf({ url, secret_token: secret = '' }: SetWebhook): string | null {
  if (secret.length > 256) return 'secret token is too long';
  if (!/^[A-Za-z0-9_-]*$/.test(secret)) return 'secret token contains unallowed characters';
  const problem = url === '' ? null : problemOfUrl(url);
  return problem === null ? null : `bad webhook: ${problem}`;
}

/** Like Telegram, but for this machine itself: a suite that runs here has neither name nor certificate. */
function problemOfUrl(url: string): string | null {
  if (!URL.canParse(url)) return 'invalid URL';
  const { protocol, port, hostname } = new URL(url);
  if (hostname === 'localhost' || (isIP(hostname) === 4 && hostname.startsWith('127.')))
    return null;
  if (protocol !== 'https:') return 'An HTTPS URL must be provided for webhook';
  return PORTS.includes(port) ? null : 'Webhook can be set up only on ports 80, 88, 443 or 8443';
}

export const WEBHOOK_METHODS: Readonly<Record<string, Method>> = {
  setWebhook,
  deleteWebhook,
  getWebhookInfo,
};
