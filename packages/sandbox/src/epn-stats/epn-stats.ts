import { Router } from 'express';
import type { OpenDouble } from '../double.ts';
import { openTokens, refuse, type EpnStatsOptions } from './tokens.ts';

export interface StatsRow {
  readonly id: string;
  readonly attributes: Readonly<Record<string, string | number | null>>;
}

/**
 * EPN's statistics API with its token service, under /epn-stats. POST /__sandbox/epn-stats/rows adds to
 * what it lists; POST …/expire ends the access token.
 */
export function openEpnStats(options: EpnStatsOptions): OpenDouble {
  return () => {
    let tokens = openTokens(options);
    let rows: readonly StatsRow[] = [];

    const router = Router();
    router.use((request, response, next) => void tokens.router(request, response, next));
    router.get('/transactions/user', (request, response) => {
      if (!tokens.isAccess(request.get('x-access-token'))) {
        return refuse(response, 401, 'Unauthorized');
      }
      const page = Number(request.query['page'] ?? 1);
      const perPage = Math.min(Number(request.query['perPage'] ?? 50), 1_000);
      const data = rows.slice((page - 1) * perPage, page * perPage);
      const meta = { totalFound: rows.length, hasNext: page * perPage < rows.length };
      response.json({ data: data.map((row) => ({ type: 'transaction', ...row })), meta });
    });

    const controls = Router();
    controls.post('/rows', (request, response) => {
      rows = [...rows, ...(request.body as readonly StatsRow[])];
      response.json({ rows: rows.length });
    });
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
      },
      close: async () => undefined,
    };
  };
}
