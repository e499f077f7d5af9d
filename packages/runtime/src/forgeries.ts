import type { Incidents } from './incidents.ts';

export interface ForgeriesOptions {
  /** All that may be forged here: an earlier life of this process may have opened incidents of them. */
  readonly sources: readonly string[];
  readonly incidents: Incidents;
  /** So many within a minute are told; fewer are noise that every public address hears. */
  readonly perMinute: number;
  /** For so long there must have been fewer. */
  readonly quietMs: number;
  readonly now: () => Date;
}

export interface Forgeries {
  /** A delivery to this source was unsigned, or signed wrongly. */
  readonly saw: (source: string) => void;
  /** To be called from time to time: after a quiet spell it is over. */
  readonly look: () => void;
}

const MINUTE_MS = 60_000;

interface Count {
  minute: number;
  count: number;
  /** When there were last too many, or may have been; null: that is over. */
  loudAt: number | null;
}

/** Somebody tries keys, or a partner's secret has changed without us: a person must hear of either. */
export function createForgeries(options: ForgeriesOptions): Forgeries {
  const { sources, incidents, perMinute, quietMs, now } = options;
  const startedAt = now().getTime();
  const counts = new Map<string, Count>(
    sources.map((source) => [source, { minute: 0, count: 0, loudAt: startedAt }]),
  );
  return {
    saw(source) {
      const at = now().getTime();
      const minute = Math.floor(at / MINUTE_MS);
      const known = counts.get(source) ?? { minute, count: 0, loudAt: null };
      if (known.minute !== minute) Object.assign(known, { minute, count: 0 });
      known.count += 1;
      counts.set(source, known);
      if (known.count < perMinute) return;
      known.loudAt = at;
      incidents.open(`signatures-failing:${source}`, { source, perMinute: known.count });
    },
    look() {
      for (const [source, known] of counts) {
        if (known.loudAt === null || now().getTime() - known.loudAt < quietMs) continue;
        known.loudAt = null;
        incidents.close(`signatures-failing:${source}`);
      }
    },
  };
}
