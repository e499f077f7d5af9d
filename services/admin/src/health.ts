import type { RequestHandler } from 'express';
import type { Log } from '@kopeck/runtime/log';

export interface HealthOptions {
  /** The receivers' own /health, on their metrics ports. */
  readonly urls: readonly string[];
  readonly now: () => Date;
  readonly log: Log;
}

const TIMEOUT_MS = 1_000;
const CACHE_MS = 1_000;

/** GET /health: healthy only if every receiver is. Asked often, it asks the receivers once a second. */
export function health({ urls, now, log }: HealthOptions): RequestHandler {
  let askedAt = -Infinity;
  let failing: Promise<readonly string[]> = Promise.resolve([]);
  let told = '';

  async function ask(): Promise<readonly string[]> {
    const answers = await Promise.all(urls.map(isHealthy));
    const down = urls.filter((_url, index) => answers[index] === false);
    if (down.join() !== told) log.warn('receivers that do not answer', { urls: down });
    told = down.join();
    return down;
  }

  return async (_request, response) => {
    const at = now().getTime();
    if (at - askedAt >= CACHE_MS) {
      askedAt = at;
      failing = ask();
    }
    const { length } = await failing;
    const timestamp = Math.floor(at / 1000);
    response.set('Cache-Control', 'no-store');
    if (length === 0) response.json({ status: 'healthy', timestamp });
    else response.status(503).json({ status: 'unhealthy', timestamp, failing: length });
  };
}

async function isHealthy(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}
