import { Router } from 'express';
import type { OpenDouble } from '../double.ts';
import { isIn, queryOf, refusalOf, type StatsQuery } from './query.ts';
import { openTokens, refuse, type EpnStatsOptions } from './tokens.ts';

export interface StatsRow {
  readonly id: string;
  readonly attributes: Readonly<Record<string, string | number | null>>;
  /** The day of its last change of status, which the API filters by and does not show. */
  readonly updated?: string;
}

/**
 * EPN's statistics API with its token service, under /epn-stats. POST /__sandbox/epn-stats/rows adds to
 * what it lists; POST …/expire ends the access token; GET …/queries says what was asked for.
 */
export function openEpnStats(options: EpnStatsOptions): OpenDouble {
  return ({ now }) => {
    let tokens = openTokens(options);
    let rows: readonly StatsRow[] = [];
    const queries: StatsQuery[] = [];

    const router = Router();
    router.use((request, response, next) => void tokens.router(request, response, next));
    router.get('/transactions/user', (request, response) => {
      if (!tokens.isAccess(request.get('x-access-token'))) {
        return refuse(response, 401, 'Unauthorized');
      }
      const page = Number(request.query['page'] ?? 1);
      const perPage = Math.min(Number(request.query['perPage'] ?? 50), 1_000);
      const query = queryOf(request.query);
      queries.push(query);
      const refusal = refusalOf(query, now());
      if (refusal !== null) return refuse(response, 400, refusal);
      const found = rows.filter((row) => isIn(row, query));
      const data = found.slice((page - 1) * perPage, page * perPage);
      const meta = { totalFound: found.length, hasNext: page * perPage < found.length };
      response.json({
        data: data.map(({ id, attributes }) => ({ type: 'transaction', id, attributes })),
        meta,
      });
    });

    const controls = Router();
    controls.post('/rows', (request, response) => {
      rows = [...rows, ...(request.body as readonly StatsRow[])];
      response.json({ rows: rows.length });
    });
    controls.get('/queries', (_request, response) => void response.json(queries));
    controls.post('/expire', (_request, response) => {
      tokens.expire();
      response.json({});
    });
    return {
      name: 'epn-stats',
      prefix: '/epn-stats',
      router,
      controls,
      reset: () => {
        [tokens, rows] = [openTokens(options), []];
        queries.length = 0;
      },
      close: async () => undefined,
    };
  };
}
