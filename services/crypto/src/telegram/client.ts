import { callPartner, type Called } from '../partner-call.ts';
import type { TelegramConfig } from './config.ts';

/** The Bot API for one bot. Its token stands in the URL, so no URL ever leaves this file. */
export interface BotApi {
  readonly bot: string;
  readonly call: (
    method: string,
    parameters: Readonly<Record<string, unknown>>,
    timeoutMs?: number,
  ) => Promise<Called>;
}

/** Null: no token is configured. */
export function botApiOf(config: TelegramConfig): BotApi | null {
  const { TELEGRAM_BOT_TOKEN: token, TELEGRAM_API_URL: base } = config;
  if (token === undefined) return null;
  return {
    bot: token.slice(0, token.indexOf(':')),
    call: (method, parameters, timeoutMs) =>
      callPartner({
        url: `${base}/bot${token}/${method}`,
        parameters,
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
      }),
  };
}
