import { setTimeout as delay } from 'node:timers/promises';
import type { Response } from 'express';
import type { Log } from '@kopeck/runtime/log';
import type { Progress } from './progress.ts';

const EVERY_MS = 500;
const RETRY_MS = 1_000;

export interface StreamOptions {
  readonly log: Log;
  /** Proxies cut off what is silent or long: the stream ends itself, and the browser comes again. */
  readonly streamMs: number;
}

/** Server-sent events: `progress` at each change, `done` with the last one. */
export async function streamProgress(
  response: Response,
  look: () => Promise<Progress>,
  { log, streamMs }: StreamOptions,
): Promise<void> {
  response.set({ 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
  response.set('X-Accel-Buffering', 'no');
  response.write(`retry: ${RETRY_MS}\n\n`);
  const closed = new AbortController();
  response.once('close', () => closed.abort());
  const ended = AbortSignal.any([closed.signal, AbortSignal.timeout(streamMs)]);

  let told = '';
  while (!ended.aborted) {
    const progress = await look().catch((error: unknown) => {
      log.warn('progress could not be read', { error });
      return null;
    });
    if (progress === null) break;
    const { etaSeconds: _changes, ...rest } = progress;
    const news = JSON.stringify(rest);
    const isDone = progress.state !== 'running';
    if (news !== told || isDone)
      response.write(
        `event: ${isDone ? 'done' : 'progress'}\ndata: ${JSON.stringify(progress)}\n\n`,
      );
    told = news;
    if (isDone) break;
    await delay(EVERY_MS, undefined, { signal: ended }).catch(() => undefined);
  }
  response.end();
}
