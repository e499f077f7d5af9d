import { setTimeout as delay } from 'node:timers/promises';
import type { IncidentDetail, Incidents } from './incidents.ts';
import type { Log } from './log.ts';

/** One thing that is looked at from time to time. */
export interface Observation {
  /** The incident's kind; `kind:thing` where any copy that looks sees the same. */
  readonly kind: string;
  readonly everyMs: number;
  /** Before the first look: what starts has better to do than something that takes long. */
  readonly afterMs?: number;
  /** What is wrong, in ids and numbers; null: it is well. Throws when it cannot be seen just now. */
  readonly look: () => Promise<IncidentDetail | null>;
}

/** Looks until it is stopped. What cannot be seen is neither wrong nor well: it stays as it was. */
export function startObservations(
  observations: readonly Observation[],
  { incidents, log }: { readonly incidents: Incidents; readonly log: Log },
): () => void {
  const stopping = new AbortController();
  const { signal } = stopping;

  const pause = (ms: number): Promise<void> =>
    delay(ms, undefined, { signal }).catch(() => undefined);

  async function watch({ kind, everyMs, afterMs = 0, look }: Observation): Promise<void> {
    await pause(afterMs);
    while (!signal.aborted) {
      try {
        const wrong = await look();
        if (wrong === null) incidents.close(kind);
        else incidents.open(kind, wrong);
      } catch (error) {
        log.debug('an observation could not be made', { kind, error });
      }
      await pause(everyMs);
    }
  }
  for (const observation of observations) void watch(observation);
  return () => stopping.abort();
}

/**
 * The result of the newest look, which is made once a day, at this hour (UTC) or later. Throws before the
 * first one: another copy may have seen something that we have not looked at yet.
 */
export function onceADay(
  hour: number,
  now: () => Date,
  look: () => Promise<IncidentDetail | null>,
): () => Promise<IncidentDetail | null> {
  let day = '';
  let newest: IncidentDetail | null | undefined;
  return async () => {
    const today = now().toISOString().slice(0, 10);
    if (day !== today && now().getUTCHours() >= hour) {
      newest = await look();
      day = today;
    }
    if (newest === undefined) throw new Error('it is not the hour yet');
    return newest;
  };
}
