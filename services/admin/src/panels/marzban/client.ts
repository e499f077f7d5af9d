import { isRecord, parseJsonText } from '@kopeck/core/json';
import { recordIn, requiredText, timeAt, type Fields } from '../answers.ts';
import { bodyOf, type Send } from '../request.ts';
import { createSession, LoggedOut } from '../session.ts';
import type { MarzbanConfig } from './config.ts';

export interface Client {
  readonly call: (method: 'GET' | 'POST', path: string, signal: AbortSignal) => Promise<Fields>;
}

interface Session {
  readonly headers: Readonly<Record<string, string>>;
  readonly endsAt: Date | null;
}

const MARGIN_MS = 60_000;

/** A bearer token for name and password, used until a minute before its end. */
export function createClient(config: MarzbanConfig, send: Send, now: () => Date): Client {
  const { url, username = '', password = '', apiKey } = config;

  async function login(signal: AbortSignal): Promise<Session> {
    if (apiKey !== undefined) return { headers: { 'X-Api-Key': apiKey }, endsAt: null };
    const body = new URLSearchParams({ username, password, grant_type: 'password' });
    const path = `${url}/api/admin/token`;
    const answer = await send({ method: 'POST', url: path, headers: {}, body, signal });
    const token = requiredText(recordIn(bodyOf(answer)), 'access_token');
    return { headers: { Authorization: `Bearer ${token}` }, endsAt: endOf(token) };
  }

  const session = createSession({ login, endsAt: ({ endsAt }) => endsAt, now });
  return {
    call: (method, path, signal) =>
      session.use(async ({ headers }) => {
        const answer = await send({ method, url: url + path, headers, signal });
        if (answer.status === 401) throw new LoggedOut();
        return recordIn(bodyOf(answer));
      }, signal),
  };
}

/** Null: a token without an end, or no JWT at all. */
function endOf(token: string): Date | null {
  const claims = parseJsonText(Buffer.from(token.split('.')[1] ?? '', 'base64url'));
  const end = isRecord(claims) ? timeAt(claims, 'exp', 1_000) : undefined;
  return end === undefined ? null : new Date(end.getTime() - MARGIN_MS);
}
