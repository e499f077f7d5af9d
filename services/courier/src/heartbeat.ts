import type { ImpatientDatabase } from '@kopeck/runtime/impatient-database';
import type { Log } from '@kopeck/runtime/log';
import type { Metrics } from '@kopeck/runtime/metrics';

export interface HeartbeatOptions {
  readonly database: ImpatientDatabase;
  /** Its path is a secret: only the host may be told. */
  readonly url: string;
  /** A canary of this age or more is no sign of life. */
  readonly youngMs: number;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly now: () => Date;
}

const WITHIN_MS = 5_000;
const RETRY_MS = 10_000;

/**
 * A look at the canary that the ledger has booked last. The URL is fetched once for each that is young
 * enough, and again while that fails; one that was stuck on its way is never told as if it were on
 * time, so whoever waits for us hears of the outage. Throws while the database is away.
 */
export function createHeartbeat(options: HeartbeatOptions): () => Promise<void> {
  const { database, url, youngMs, log, metrics, now } = options;
  const { host } = new URL(url);
  let told = -Infinity;
  let notBefore = -Infinity;
  let failure = '';

  return async () => {
    const sentAt = await newestCanary(database);
    const at = now().getTime();
    // One from the future was sent by another clock, or before ours was set back.
    const isYoung = Math.abs(at - sentAt) < youngMs;
    if (sentAt <= told || !isYoung || at < notBefore) return;
    const word = await fetchIt(url);
    metrics.count('kopeck_heartbeats_total', { result: word === '' ? 'sent' : 'failed' });
    if (word === '') told = sentAt;
    else notBefore = at + RETRY_MS;
    // The same trouble every ten seconds is one line.
    if (word !== '' && word !== failure) log.warn('a heartbeat failed', { host, error: word });
    if (word === '' && failure !== '') log.info('heartbeats get through again', { host });
    failure = word;
  };
}

/** In milliseconds; -Infinity: there was none yet. */
async function newestCanary(database: ImpatientDatabase): Promise<number> {
  const [row] = await database.ask('SELECT sent_at FROM heartbeat WHERE id = 1');
  return row === undefined ? -Infinity : (row['sent_at'] as Date).getTime();
}

/** Empty: it was taken. What fetch says of its failures names the URL: only the code goes further. */
async function fetchIt(url: string): Promise<string> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(WITHIN_MS) });
    await response.body?.cancel();
    return response.ok ? '' : `HTTP ${response.status}`;
  } catch (error) {
    const { name, cause } = error as Error & { cause?: { code?: string } };
    return name === 'TimeoutError' ? 'no answer in time' : (cause?.code ?? 'no answer');
  }
}
