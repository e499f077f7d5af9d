import type { Request, RequestHandler, Router } from 'express';
import { methods } from '@kopeck/runtime/http-app';
import type { CryptoConfig } from '../config.ts';
import { userOfInitData } from './init-data.ts';
import { balanceReader, type ReadBalance } from './read-balance.ts';
import { streamBalance } from './stream.ts';
import { TICKET_SECONDS, type Tickets } from './tickets.ts';

export interface BalanceDeps {
  readonly config: CryptoConfig;
  readonly tickets: Tickets;
  readonly now: () => Date;
}

/** So many streams at once: each asks the ledger twice a second. */
const MOST_STREAMS = 200;

/** For a Mini App: GET /api/balance, POST /api/balance/ticket, GET /api/balance/stream?ticket=… */
export function addBalanceRoutes(router: Router, deps: BalanceDeps): void {
  const { config, tickets } = deps;
  const read = readerOf(config);
  const cors = corsOf(config.MINI_APP_ORIGINS ?? []);
  let streams = 0;

  router.all(
    '/api/balance',
    cors,
    methods({
      GET: [
        async (request, response) => {
          const user = userOf(request, deps);
          if (read === null) return void response.status(503).json({ error: 'unconfigured' });
          if (user === null) return void response.status(401).json({ error: 'unauthorized' });
          response.set('Cache-Control', 'no-store').json(await read(user));
        },
      ],
    }),
  );
  router.all(
    '/api/balance/ticket',
    cors,
    methods({
      POST: [
        async (request, response) => {
          const user = userOf(request, deps);
          if (user === null) return void response.status(401).json({ error: 'unauthorized' });
          const ticket = await tickets.issue(user);
          response.set('Cache-Control', 'no-store').json({ ticket, expiresIn: TICKET_SECONDS });
        },
      ],
    }),
  );
  router.all(
    '/api/balance/stream',
    cors,
    methods({
      GET: [
        async (request, response) => {
          if (read === null) return void response.status(503).json({ error: 'unconfigured' });
          if (streams >= MOST_STREAMS) return void response.status(503).json({ error: 'busy' });
          const { ticket } = request.query;
          const user = typeof ticket === 'string' ? await tickets.redeem(ticket) : null;
          if (user === null) return void response.status(401).json({ error: 'unauthorized' });
          streams += 1;
          await streamBalance(response, user, read).finally(() => (streams -= 1));
        },
      ],
    }),
  );
}

/** Null: not configured. */
function readerOf({ LEDGER_URL: url, LEDGER_USER_API_TOKEN: tokens }: CryptoConfig) {
  const [token] = tokens ?? [];
  const read: ReadBalance | null =
    url === undefined || token === undefined ? null : balanceReader(url, token);
  return read;
}

/** `Authorization: tma <initData>`, as Telegram's own examples have it. */
function userOf(request: Request, { config, now }: BalanceDeps): string | null {
  const [, initData] = /^tma (.{1,8192})$/i.exec(request.get('authorization') ?? '') ?? [];
  const { TELEGRAM_BOT_TOKEN: botToken, INIT_DATA_MAX_AGE_MINUTES: minutes } = config;
  if (initData === undefined || botToken === undefined) return null;
  return userOfInitData(initData, { botToken, maxAgeMs: minutes * 60_000, now: now() });
}

/** Only the origins of the configuration may ask from a browser. */
function corsOf(origins: readonly string[]): RequestHandler {
  return (request, response, next) => {
    const origin = request.get('origin');
    response.vary('Origin');
    if (origin !== undefined && origins.includes(origin)) {
      response.set({
        'Access-Control-Allow-Origin': origin,
        'Access-Control-Allow-Headers': 'Authorization',
        'Access-Control-Allow-Methods': 'GET, POST',
        'Access-Control-Max-Age': '600',
        'Cross-Origin-Resource-Policy': 'cross-origin',
      });
    }
    if (request.method !== 'OPTIONS') return next();
    response.status(204).end();
  };
}
