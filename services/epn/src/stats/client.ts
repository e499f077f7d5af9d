import { isRecord } from '@kopeck/core/json';
import { openAccess } from './access.ts';
import type { StatsConfig } from './config.ts';
import { HEADERS, reach, recordAt, StatsError, type Reached } from './reach.ts';
import type { TokenFile } from './token-file.ts';

export interface StatsPage {
  readonly rows: readonly Record<string, unknown>[];
  readonly hasNext: boolean;
}

export interface StatsClient {
  /** Dates as YYYY-MM-DD. Pages count from 1. */
  readonly page: (query: Readonly<Record<string, string>>, page: number) => Promise<StatsPage>;
}

const PER_PAGE = '500';
const UNAUTHORIZED = 401;

export function openStatsClient(
  config: StatsConfig,
  file: TokenFile,
  now: () => Date,
): StatsClient {
  let access: string | null = null;
  const renew = openAccess(config, file, now);

  async function ask(url: string): Promise<Reached> {
    access ??= await renew();
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
