import { createHmac, timingSafeEqual } from 'node:crypto';
import { isRecord, parseJsonText, textAt } from '@kopeck/core/json';

export interface InitDataRules {
  readonly botToken: string;
  readonly maxAgeMs: number;
  readonly now: Date;
}

/** Telegram's clock and ours may differ by so much. */
const AHEAD_MS = 60_000;

/**
 * The user's id in what Telegram hands to a Mini App as `initData`; null: forged, too old, or of nobody.
 * Signed with a key that is made of the bot's token (core.telegram.org/bots/webapps): every field but
 * the hash itself, sorted, one a line.
 */
export function userOfInitData(text: string, rules: InitDataRules): string | null {
  const fields = [...new URLSearchParams(text)];
  const keys = new Set(fields.map(([key]) => key));
  if (keys.size !== fields.length) return null;

  const hash = fields.find(([key]) => key === 'hash')?.[1] ?? '';
  if (!/^[0-9a-f]{64}$/i.test(hash)) return null;
  if (!timingSafeEqual(sign(fields, rules.botToken), Buffer.from(hash, 'hex'))) return null;

  const values = Object.fromEntries(fields);
  return isFresh(values['auth_date'], rules) ? idOf(values['user']) : null;
}

/** Exported for the tests, which must be able to play Telegram. */
export function sign(fields: readonly (readonly [string, string])[], botToken: string): Buffer {
  const lines = fields
    .filter(([key]) => key !== 'hash')
    .map(([key, value]) => `${key}=${value}`)
    .sort();
  const key = createHmac('sha256', 'WebAppData').update(botToken).digest();
  return createHmac('sha256', key).update(lines.join('\n')).digest();
}

function isFresh(authDate: string | undefined, { maxAgeMs, now }: InitDataRules): boolean {
  if (authDate === undefined || !/^[1-9]\d{0,11}$/.test(authDate)) return false;
  const ageMs = now.getTime() - Number(authDate) * 1_000;
  return ageMs <= maxAgeMs && ageMs >= -AHEAD_MS;
}

function idOf(user: string | undefined): string | null {
  const fields = parseJsonText(Buffer.from(user ?? ''));
  const id = isRecord(fields) ? textAt(fields, 'id') : null;
  return id !== null && /^[1-9]\d{0,15}$/.test(id) ? id : null;
}
