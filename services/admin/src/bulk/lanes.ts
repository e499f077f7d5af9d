import { openWorkQueue, startWorker, type WorkQueue } from '@kopeck/runtime/work-queue';
import type { ReceiverDeps } from '@kopeck/runtime/receiver';
import type { Panels } from '../panels/port.ts';
import type { PerformDeps } from '../perform-refresh.ts';
import type { Paces } from './create-job.ts';
import { finishIfDone, NO_LANE, pendingItems, type Item } from './store.ts';
import { workOn } from './work.ts';

export interface LanesOptions {
  readonly deps: PerformDeps & Pick<ReceiverDeps, 'redis' | 'closing'>;
  readonly prefix: string;
  /** Of a retryable failure, doubled each time. */
  readonly backoffMs: number;
  readonly lockMs: number;
  readonly stalledMs: number;
  /** How often what is pending is looked for: after a Redis that has forgotten, or a copy that has died. */
  readonly sweepMs: number;
}

export interface Lanes {
  /** Puts what is pending into the lanes; what is there already is not put there twice. */
  readonly enqueue: (jobId: string | null) => Promise<void>;
}

const ATTEMPTS = 3;
const CHUNK = 500;
const NOT_A_SERVER = 4;

/** How many purchases each server bears at once. */
export function pacesOf(panels: Panels): Paces {
  return new Map([...panels].map(([id, { concurrency }]) => [id, concurrency ?? NOT_A_SERVER]));
}

/**
 * A queue and a worker for each server, so that one that hangs holds up nobody but its own purchases, and
 * one that is slow is asked no faster for the sake of another one.
 * The rows in the database say what is to be done: the queues may be emptied at any time.
 */
export function openLanes({ deps, prefix, sweepMs, ...timing }: LanesOptions): Lanes {
  const { panels, pool, redis, log, closing, now } = deps;
  const { backoffMs, lockMs, stalledMs } = timing;
  const lanes = new Map<string, WorkQueue<Item>>();

  function lane(id: string): WorkQueue<Item> {
    const name = panels.has(id) ? id : NO_LANE;
    const known = lanes.get(name);
    if (known !== undefined) return known;
    const queueName = `admin-refresh-${name}`;
    const queue = openWorkQueue<Item>(queueName, { redis, prefix, attempts: ATTEMPTS, backoffMs });
    const concurrency = panels.get(name)?.concurrency ?? NOT_A_SERVER;
    const options = { redis, prefix, concurrency, lockMs, stalledMs, log };
    const worker = startWorker<Item>(queueName, (work) => workOn(deps, work), options);
    closing.add(`lane ${name} queue`, queue.close);
    closing.add(`lane ${name}`, worker.close);
    lanes.set(name, queue);
    return queue;
  }

  async function enqueue(jobId: string | null): Promise<void> {
    const byLane = Map.groupBy(await pendingItems(pool, jobId), (item) => item.lane);
    for (const [id, items] of byLane) {
      for (let from = 0; from < items.length; from += CHUNK) {
        const work = items.slice(from, from + CHUNK).map((data) => ({
          id: `${data.jobId}.${data.purchaseId}`,
          data,
        }));
        await lane(id).add(work);
      }
    }
  }

  const sweep = (): void => {
    for (const id of panels.keys()) lane(id);
    enqueue(null)
      // A bulk's last worker may have died before the look whether it was the last.
      .then(() => finishIfDone(pool, null, now()))
      .catch((error: unknown) => log.warn('bulks could not be looked at', { error }));
  };
  sweep();
  const sweeping = setInterval(sweep, sweepMs);
  closing.add('bulk sweep', () => clearInterval(sweeping));
  return { enqueue };
}
