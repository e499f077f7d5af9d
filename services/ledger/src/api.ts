import type { RequestHandler, Router } from 'express';
import type { Pool, RowDataPacket } from 'mysql2/promise';
import { canonicalAmount } from '@kopeck/core/money';
import { bearer, isOneOf } from '@kopeck/runtime/body';
import { isUnavailable } from '@kopeck/runtime/database';
import { createRouter, HttpError, methods } from '@kopeck/runtime/http-app';
import { explainEvent } from './explain.ts';
import { subscriptionsOf } from './subscriptions-api.ts';

export interface ApiOptions {
  readonly pool: Pool;
  /** Read everything. */
  readonly tokens: readonly string[];
  /** Read the balances of `user:*` only. */
  readonly userTokens: readonly string[];
  readonly now: () => Date;
}

/** The ledger's read API: balances and events, as they are committed. */
export function ledgerRouter(options: ApiOptions): Router {
  const { pool, tokens, userTokens, now } = options;
  const router = createRouter();
  const anyToken = bearer([...tokens, ...userTokens], (response) => {
    response.status(401).json({ error: 'unauthorized' });
  });

  router.all(
    '/health',
    methods({
      GET: [
        (_request, response) =>
          void response.json({ status: 'healthy', timestamp: now().toISOString() }),
      ],
    }),
  );
  router.all(
    '/api/ledger/balances/:account',
    methods({ GET: [anyToken, onlyUsersFor(userTokens), unlessAway(balancesOf(pool))] }),
  );
  router.all(
    '/api/ledger/subscriptions/:account',
    methods({ GET: [anyToken, onlyUsersFor(userTokens), unlessAway(subscriptionsOf(pool))] }),
  );
  router.all(
    '/api/ledger/events/:id',
    methods({
      GET: [anyToken, onlyUsersFor(userTokens), unlessAway((id) => explainEvent(pool, id))],
    }),
  );
  return router;
}

function onlyUsersFor(userTokens: readonly string[]): RequestHandler {
  return (request, _response, next) => {
    const token = (request.get('authorization') ?? '').replace(/^Bearer /i, '');
    const isUser = String(request.params['account'] ?? '').startsWith('user:');
    const isAllowed = isUser || !isOneOf(token, userTokens);
    next(isAllowed ? undefined : new HttpError(403, { error: 'forbidden' }));
  };
}

function unlessAway(handler: (parameter: string) => Promise<unknown>): RequestHandler {
  return async (request, response) => {
    try {
      const answer = await handler(String(request.params['account'] ?? request.params['id']));
      if (answer === null) throw new HttpError(404, { error: 'not_found' });
      response.set('Cache-Control', 'no-store').json(answer);
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      response.status(503).set('Retry-After', '5').json({ error: 'storage_unavailable' });
    }
  };
}

/** Canonical decimals; an account that nothing was ever booked to has an empty list. */
function balancesOf(pool: Pool) {
  return async (account: string): Promise<unknown> => {
    const [rows] = await pool.query<RowDataPacket[]>(
      'SELECT asset, amount FROM balances WHERE account = ? ORDER BY asset',
      [account],
    );
    const balances = rows.map((row) => ({
      asset: String(row['asset']),
      amount: decimal(row['amount']),
    }));
    return { account, balances };
  };
}

function decimal(value: unknown): string {
  return canonicalAmount(String(value)) ?? String(value);
}
