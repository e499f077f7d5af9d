import { isRecord, parseJsonText, textAt } from '@kopeck/core/json';
import type { StatsConfig } from './config.ts';
import type { TokenFile } from './token-file.ts';

/** The API is away, refuses us, or says something else than it should. The message holds no token. */
export class StatsError extends Error {
  override name = 'StatsError' as const;
}

export interface StatsPage {
  readonly rows: readonly Record<string, unknown>[];
  readonly hasNext: boolean;
}

export interface StatsClient {
  /** Dates as YYYY-MM-DD. Pages count from 1. */
  readonly page: (query: Readonly<Record<string, string>>, page: number) => Promise<StatsPage>;
}

const WITHIN_MS = 20_000;
const PER_PAGE = '500';
const UNAUTHORIZED = 401;
const HEADERS = { accept: 'application/json', 'user-agent': 'Kopeck/1.0' };

type Reached = { readonly status: number; readonly json: unknown };

export function openStatsClient(config: StatsConfig, file: TokenFile): StatsClient {
  let access: string | null = null;

  /** The new refresh token is on disk before the access token that came with it is used. */
  async function refresh(): Promise<string> {
    const { EPN_STATS_CLIENT_ID: clientId, EPN_STATS_REFRESH_TOKEN: first = '' } = config;
    const body = {
      grant_type: 'refresh_token',
      refresh_token: file.read() ?? first,
      client_id: clientId,
    };
    const { status, json } = await reach(`${config.EPN_STATS_OAUTH_URL}/token/refresh`, {
      method: 'POST',
      headers: { ...HEADERS, 'content-type': 'application/json', 'x-api-version': '2' },
      body: JSON.stringify(body),
    });
    const attributes = recordAt(recordAt(json, 'data'), 'attributes');
    const token = textAt(attributes, 'access_token');
    const next = textAt(attributes, 'refresh_token');
    if (status !== 200 || token === null) throw new StatsError(`no access token: HTTP ${status}`);
    if (next !== null) file.write(next);
    return token;
  }

  async function ask(url: string): Promise<Reached> {
    access ??= await refresh();
    return reach(url, { headers: { ...HEADERS, 'x-access-token': access } });
  }

  return {
    async page(query, page) {
      const search = new URLSearchParams({ ...query, page: String(page), perPage: PER_PAGE });
      const url = `${config.EPN_STATS_URL}/transactions/user?${search.toString()}`;
      let answer = await ask(url);
      if (answer.status === UNAUTHORIZED) {
        access = null;
        answer = await ask(url);
      }
      const { status, json } = answer;
      if (status !== 200 || !isRecord(json) || !Array.isArray(json['data'])) {
        throw new StatsError(`no list of transactions: HTTP ${status}`);
      }
      return {
        rows: (json['data'] as unknown[]).filter(isRecord),
        hasNext: recordAt(json, 'meta')['hasNext'] === true,
      };
    },
  };
}

function recordAt(value: unknown, key: string): Record<string, unknown> {
  const inner = isRecord(value) ? value[key] : undefined;
  return isRecord(inner) ? inner : {};
}

async function reach(url: string, init: RequestInit): Promise<Reached> {
  try {
    const response = await fetch(url, {
      ...init,
      redirect: 'error',
      signal: AbortSignal.timeout(WITHIN_MS),
    });
    const json = parseJsonText(Buffer.from(await response.arrayBuffer()));
    return { status: response.status, json };
  } catch {
    // The cause may quote the request, and with it the token.
    throw new StatsError('the statistics API cannot be reached');
  }
}
