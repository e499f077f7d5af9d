import { setTimeout as delay } from 'node:timers/promises';
import type { RequestHandler, Response } from 'express';
import { notFound } from '@kopeck/runtime/http-app';
import { statusOf } from './order.ts';
import { hidden, orderOf, type PageDeps } from './page.ts';

/** How often a stream looks, and after how many looks it ends; then the browser comes again by itself. */
export interface StreamPace {
  readonly everyMs: number;
  readonly looks: number;
}

/** Twenty-five seconds: proxies and shutdowns do not wait longer. */
export const STREAM_PACE: StreamPace = { everyMs: 1_000, looks: 25 };

/** All streams together: each is a connection and a question to the database every second. */
const MOST_STREAMS = 500;

/** GET /pay/{token}/events: the order's status when it is opened, and each time it changes. */
export function getPageEvents(
  { attempts, now }: PageDeps,
  pace: StreamPace = STREAM_PACE,
): RequestHandler<{ token: string }> {
  let streams = 0;

  async function stream(token: string, response: Response): Promise<void> {
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    let told: string | null = null;
    for (let looks = 0; looks < pace.looks && !gone.signal.aborted; looks += 1) {
      const order = await orderOf(token, attempts);
      const status = order === null ? null : statusOf(order, now());
      if (status !== null && status !== told) response.write(`event: status\ndata: ${status}\n\n`);
      told = status;
      await delay(pace.everyMs, undefined, { signal: gone.signal });
    }
  }

  return async (request, response) => {
    const { token } = request.params;
    if ((await orderOf(token, attempts)) === null) return notFound(response);
    if (streams >= MOST_STREAMS) {
      response.status(503).set('Retry-After', '30').json({ error: 'unavailable' });
      return;
    }
    hidden(response).set('X-Accel-Buffering', 'no').type('text/event-stream');
    response.write('retry: 1000\n\n');
    streams += 1;
    // Gone, or the database is away: the browser comes again.
    await stream(token, response).catch(() => undefined);
    streams -= 1;
    response.end();
  };
}
