import { setTimeout as delay } from 'node:timers/promises';
import type { Response } from 'express';
import type { ReadBalance } from './read-balance.ts';

const LOOK_MS = 500;
const ENDS_AFTER_MS = 25_000;

/**
 * Server-sent events: the balance at once, and whenever it has changed. It ends by itself before any
 * proxy in between loses patience.
 */
export async function streamBalance(
  response: Response,
  user: string,
  read: ReadBalance,
): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const signal = AbortSignal.any([gone.signal, AbortSignal.timeout(ENDS_AFTER_MS)]);

  response.status(200).set({
    'Content-Type': 'text/event-stream',
    'Cache-Control': 'no-store',
    'X-Accel-Buffering': 'no',
  });
  response.write('retry: 1000\n\n');
  let last = '';
  while (!signal.aborted) {
    const now = await read(user).then(JSON.stringify, () => last);
    if (now !== last && !signal.aborted) response.write(`event: balance\ndata: ${now}\n\n`);
    last = now;
    await delay(LOOK_MS, undefined, { signal }).catch(() => undefined);
  }
  response.end();
}
