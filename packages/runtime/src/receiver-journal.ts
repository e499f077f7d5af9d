import type { Redis } from 'ioredis';
import type { Append } from '@kopeck/core/receive';
import { startForwarder } from './forwarder.ts';
import { openIncidents, type Incidents, type ReporterOptions } from './incidents.ts';
import { JournalUnavailable, openJournal, type Journal } from './journal.ts';
import type { Metrics } from './metrics.ts';
import { openQueue } from './queue.ts';
import type { ReceiverOptions } from './receiver.ts';
import type { Closing } from './shutdown.ts';

export interface ReceiverJournal {
  readonly append: Append;
  readonly journal: Journal;
  readonly incidents: Incidents;
  readonly connected: () => boolean;
}

interface Parts {
  readonly redis: Redis;
  readonly metrics: Metrics;
  readonly closing: Closing;
  readonly now: () => Date;
}

const WATCH_MS = 1_000;
/** What a copy says of itself and its journal. */
const KINDS = ['journal-unavailable', 'journal-half-full', 'redis-unsafe'];

/** The journal with what stands behind it: the forwarder to the queue, and the watch over its size. */
export async function startReceiverJournal(
  options: ReceiverOptions,
  parts: Parts,
): Promise<ReceiverJournal> {
  const { config, log, name, queue: queueName } = options;
  const { redis, metrics, closing, now } = parts;
  const { REDIS_PREFIX: prefix, JOURNAL_DIR: dir, JOURNAL_MAX_BYTES: maxBytes } = config;

  const keepHours = config.JOURNAL_KEEP_HOURS;
  const ownThread = options.journalThread ?? false;
  const journal = await openJournal({ dir, maxBytes, keepHours, now, ownThread });
  closing.add('journal', journal.close);
  const incidents = openIncidents({ service: name, instance: journal.id, redis, prefix, log, now });
  closing.add('incidents', incidents.stop);
  endIncidentsOf(journal.adopted, { service: name, redis, prefix, log, now, closing });
  const queue = openQueue(queueName, redis, prefix);
  const forwarder = startForwarder({
    journal,
    queue,
    redis,
    epochKey: `${prefix}:${queueName}:epoch:${journal.id}`,
    unsafe: config.REDIS_UNSAFE,
    log,
    onSafety: (error) =>
      error === null
        ? incidents.close('redis-unsafe')
        : incidents.open('redis-unsafe', { reason: error.message }),
  });
  closing.add('forwarder', forwarder.close);

  const watch = setInterval(() => {
    watchSize(journal, maxBytes, { incidents, metrics }).catch((error: unknown) =>
      log.error('the size of the journal cannot be seen', { error }),
    );
  }, WATCH_MS);
  closing.add('watch', () => clearInterval(watch));

  const append: Append = async (event) => {
    try {
      const result = await journal.append(event);
      forwarder.wake();
      incidents.close('journal-unavailable');
      return result;
    } catch (error) {
      if (error instanceof JournalUnavailable)
        incidents.open('journal-unavailable', { bytes: await journal.bytes().catch(() => 0) });
      throw error;
    }
  };
  return { append, journal, incidents, connected: forwarder.connected };
}

/** A copy that is no more has opened incidents, perhaps, and will never say that they are over. */
function endIncidentsOf(
  copies: readonly string[],
  { closing, ...reporter }: Omit<ReporterOptions, 'instance'> & Pick<Parts, 'closing'>,
): void {
  for (const instance of copies) {
    const incidents = openIncidents({ ...reporter, instance });
    closing.add('incidents of an adopted journal', incidents.stop);
    for (const kind of KINDS) incidents.close(kind);
  }
}

async function watchSize(
  journal: Journal,
  maxBytes: number,
  tell: { incidents: Incidents; metrics: Metrics },
): Promise<void> {
  const bytes = await journal.bytes();
  const waiting = await journal.waiting();
  tell.metrics.gauge('kopeck_journal_bytes', bytes);
  tell.metrics.gauge('kopeck_journal_waiting', waiting);
  if (bytes > maxBytes / 2)
    tell.incidents.open('journal-half-full', { bytes, waiting, cap: maxBytes });
  else tell.incidents.close('journal-half-full', { bytes, waiting });
}
