import { isRecord, parseJsonText, textAt } from '@kopeck/core/json';
import type { Delivery, Tried } from './deliveries.ts';
import { messageText, type Language, type Messages } from './messages.ts';

export interface TelegramOptions {
  readonly apiUrl: string;
  readonly token: string;
  readonly messages: Messages;
  readonly language: Language;
}

const WITHIN_MS = 10_000;

/** One message to a user. That it was sent twice is possible, and better than never. */
export function createTelegram({ apiUrl, token, messages, language }: TelegramOptions) {
  // The token stands in the URL, and fetch puts URLs into its errors: none of them leaves here.
  const url = `${apiUrl}/bot${token}/sendMessage`;

  return async ({ payload }: Delivery): Promise<Tried> => {
    const chat = textAt(payload, 'chat');
    const text = messageText(payload, messages, language);
    if (chat === null || text === null) return { kind: 'final', error: 'no such message' };
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ chat_id: Number(chat), text }),
        redirect: 'error',
        signal: AbortSignal.timeout(WITHIN_MS),
      });
      return judge(response.status, Buffer.from(await response.arrayBuffer()));
    } catch {
      return { kind: 'again', error: 'no answer', retryAfterMs: null };
    }
  };
}

/** Blocked, deactivated, unknown or never written to: nobody will read it, however often it is sent. */
const FINAL: readonly number[] = [400, 403];

function judge(status: number, body: Buffer): Tried {
  if (status === 200) return { kind: 'delivered' };
  const error = `HTTP ${status}`;
  if (FINAL.includes(status)) return { kind: 'final', error };
  const answer = parseJsonText(body);
  const parameters = isRecord(answer) ? answer['parameters'] : undefined;
  const seconds = isRecord(parameters) ? textAt(parameters, 'retry_after') : null;
  return { kind: 'again', error, retryAfterMs: seconds === null ? null : Number(seconds) * 1_000 };
}
