import { openWorkQueue, startWorker } from '@kopeck/runtime/work-queue';
import type { ReceiverDeps } from '@kopeck/runtime/receiver';
import { startJob, type BulkDeps } from './routes.ts';
import { runningJob } from './store.ts';
import { uuidOf } from './uuid.ts';

export interface ScheduleOptions {
  readonly deps: BulkDeps & Pick<ReceiverDeps, 'redis' | 'closing'>;
  readonly prefix: string;
  /** Null: no refresh by the clock. */
  readonly cron: string | null;
  readonly lockMs: number;
  readonly stalledMs: number;
}

const QUEUE = 'admin-schedule';

/**
 * A refresh of all active purchases by the clock. Every copy says when, and the queue makes one job of
 * it each time; that job's id is the bulk's, so that even a job that is done again starts one bulk.
 */
export function startSchedule({ deps, prefix, cron, lockMs, stalledMs }: ScheduleOptions): void {
  const { redis, closing, log, pool, now } = deps;
  const queue = openWorkQueue<null>(QUEUE, { redis, prefix, attempts: 3, backoffMs: 2_000 });
  closing.add('schedule queue', queue.close);
  queue
    .schedule('refresh-all', cron, null)
    .catch((error: unknown) => log.error('ADMIN_REFRESH_CRON is not understood', { error }));
  if (cron === null) return;

  const start = async ({ id }: { readonly id: string }): Promise<void> => {
    const running = await runningJob(pool);
    const bulkId = uuidOf(id);
    if (running !== null && running !== bulkId)
      return log.warn('a scheduled refresh is left out: one is under way', { job: running });
    await startJob(deps, { id: bulkId, requestedBy: 'schedule', scope: 'active', at: now() });
  };
  const worker = startWorker(QUEUE, start, {
    redis,
    prefix,
    concurrency: 1,
    lockMs,
    stalledMs,
    log,
  });
  closing.add('schedule', worker.close);
}
