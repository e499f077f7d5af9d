import { randomUUID } from 'node:crypto';
import express, { Router } from 'express';
import type { OpenDouble } from '../double.ts';

export interface EpnStatsOptions {
  readonly clientId: string;
  readonly refreshToken: string;
}

export interface StatsRow {
  readonly id: string;
  readonly attributes: Readonly<Record<string, string | number | null>>;
}

/**
 * EPN's statistics API with its token service, under /epn-stats. A refresh token is good for one use.
 * POST /__sandbox/epn-stats/rows adds to what it lists; POST …/expire ends the access token.
 */
export function openEpnStats({ clientId, refreshToken }: EpnStatsOptions): OpenDouble {
  return () => {
    let refresh = refreshToken;
    let access = '';
    let rows: readonly StatsRow[] = [];

    const router = Router();
    router.post('/token/refresh', express.json(), (request, response) => {
      const given = (request.body ?? {}) as { refresh_token?: string; client_id?: string };
      if (given.client_id !== clientId || given.refresh_token !== refresh) {
        const errors = [{ error: 401, error_description: 'Refresh token is not valid' }];
        return void response.status(401).json({ result: false, errors });
      }
      refresh = `refresh-${randomUUID()}`;
      access = `access-${randomUUID()}`;
      const attributes = { access_token: access, refresh_token: refresh, expires_in: 86_400 };
      response.json({ data: { type: 'token', attributes }, result: true });
    });
    router.get('/transactions/user', (request, response) => {
      if (access === '' || request.get('x-access-token') !== access) {
        const errors = [{ error: 401_001, error_description: 'Unauthorized' }];
        return void response.status(401).json({ result: false, errors });
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
      access = '';
      response.json({});
    });
    return {
      name: 'epn-stats',
      prefix: '/epn-stats',
      router,
      controls,
      reset: () => {
        [refresh, access, rows] = [refreshToken, '', []];
      },
      close: async () => undefined,
    };
  };
}
