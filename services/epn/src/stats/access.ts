import { textAt } from '@kopeck/core/json';
import type { StatsConfig } from './config.ts';
import { attributesOf, HEADERS, reach, StatsError, type Reached } from './reach.ts';
import type { TokenFile } from './token-file.ts';

const SESSION_EVERY_MS = 24 * 3_600_000;
const OAUTH = { ...HEADERS, 'x-api-version': '2' };

/** Returns what gives a new access token: by the refresh token, else by signing in. Throws StatsError. */
export function openAccess(
  config: StatsConfig,
  file: TokenFile,
  now: () => Date,
): () => Promise<string> {
  let mayAskAt = 0;

  /** The new refresh token is on disk before the access token that came with it is used. */
  async function renew(): Promise<string> {
    const refreshed = await refresh();
    const given = refreshed?.status === 200 ? refreshed : ((await signIn()) ?? refreshed);
    if (given === null) throw new StatsError('no access token: signed in already today');
    const attributes = attributesOf(given);
    const token = textAt(attributes, 'access_token');
    const next = textAt(attributes, 'refresh_token');
    if (given.status !== 200 || token === null) {
      throw new StatsError(`no access token: HTTP ${given.status}`);
    }
    if (next !== null) file.write(next);
    return token;
  }

  /** Null: there is no refresh token. */
  async function refresh(): Promise<Reached | null> {
    const { EPN_STATS_CLIENT_ID: client_id, EPN_STATS_REFRESH_TOKEN: first } = config;
    const refresh_token = file.read() ?? first;
    if (refresh_token === undefined) return null;
    return post('/token/refresh', { grant_type: 'refresh_token', refresh_token, client_id });
  }

  /** EPN gives a session about once a day and asks for a captcha after that. Null: not now. */
  async function signIn(): Promise<Reached | null> {
    const { EPN_STATS_CLIENT_ID: client_id = '', EPN_STATS_CLIENT_SECRET: client_secret } = config;
    if (client_secret === undefined || now().getTime() < mayAskAt) return null;
    mayAskAt = now().getTime() + SESSION_EVERY_MS;
    const query = new URLSearchParams({ v: '2', client_id }).toString();
    const session = await reach(`${config.EPN_STATS_OAUTH_URL}/ssid?${query}`, { headers: OAUTH });
    const ssid_token = textAt(attributesOf(session), 'ssid_token');
    if (ssid_token === null) throw new StatsError(`no session: HTTP ${session.status}`);
    const grant_type = 'client_credential';
    return post('/token', { grant_type, client_id, client_secret, ssid_token, check_ip: false });
  }

  function post(path: string, body: object): Promise<Reached> {
    const headers = { ...OAUTH, 'content-type': 'application/json' };
    const url = `${config.EPN_STATS_OAUTH_URL}${path}`;
    return reach(url, { method: 'POST', headers, body: JSON.stringify(body) });
  }

  return renew;
}
