import type { RequestHandler, Router } from 'express';
import type { Pool, RowDataPacket } from 'mysql2/promise';
import { canonicalAmount } from '@kopeck/core/money';
import { bearer, isOneOf } from '@kopeck/runtime/body';
import { isUnavailable } from '@kopeck/runtime/database';
import { createRouter, HttpError, methods } from '@kopeck/runtime/http-app';
import { completionId } from './decide.ts';
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
    methods({ GET: [anyToken, onlyUsersFor(userTokens), unlessAway(eventOf(pool))] }),
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

/** Null while the event is not booked. An event that was completed later is shown as completed. */
function eventOf(pool: Pool) {
  return async (id: string): Promise<unknown> => {
    const [rows] = await pool.query<RowDataPacket[]>(
      'SELECT * FROM inbox WHERE event_id IN (?) ORDER BY seq DESC LIMIT 1',
      [[id, completionId(id)]],
    );
    const [row] = rows;
    if (row === undefined) return null;
    return { ...summary(row, id), entry: await entryOf(pool, row) };
  };
}

function summary(row: RowDataPacket, id: string): object {
  return {
    id,
    source: row['source'],
    type: row['type'],
    subject: row['subject'],
    network: row['network'],
    outcome: row['outcome'],
    reason: row['reason'],
    occurredAt: iso(row['occurred_at']),
    receivedAt: iso(row['received_at']),
    bookedAt: iso(row['booked_at']),
    seq: row['seq'],
    hash: row['hash'],
    data: JSON.parse(String(row['data'])) as unknown,
  };
}

async function entryOf(pool: Pool, inbox: RowDataPacket): Promise<unknown> {
  const [rows] = await pool.query<RowDataPacket[]>(
    'SELECT account, asset, amount FROM postings WHERE seq = ? ORDER BY line',
    [inbox['seq']],
  );
  if (rows.length === 0) return null;
  const postings = rows.map((row) => ({
    account: row['account'],
    asset: row['asset'],
    amount: decimal(row['amount']),
  }));
  return { id: inbox['event_id'], seq: inbox['seq'], postings };
}

function decimal(value: unknown): string {
  return canonicalAmount(String(value)) ?? String(value);
}

function iso(value: unknown): string {
  return (value as Date).toISOString();
}
