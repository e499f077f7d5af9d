import type { Incidents } from './incidents.ts';

export interface ForgeriesOptions {
  readonly incidents: Incidents;
  /** So many within a minute are told; fewer are noise that every public address hears. */
  readonly perMinute: number;
  readonly now: () => Date;
}

export interface Forgeries {
  /** A delivery to this source was unsigned, or signed wrongly. */
  readonly saw: (source: string) => void;
  /** To be called from time to time: after a quiet spell it is over. */
  readonly look: () => void;
}

const MINUTE_MS = 60_000;
const QUIET_MS = 5 * MINUTE_MS;

interface Count {
  minute: number;
  count: number;
  /** When there were last too many; 0: never. */
  loudAt: number;
}

/** Somebody tries keys, or a partner's secret has changed without us: a person must hear of either. */
export function createForgeries({ incidents, perMinute, now }: ForgeriesOptions): Forgeries {
  const counts = new Map<string, Count>();
  return {
    saw(source) {
      const at = now().getTime();
      const minute = Math.floor(at / MINUTE_MS);
      const known = counts.get(source) ?? { minute, count: 0, loudAt: 0 };
      if (known.minute !== minute) Object.assign(known, { minute, count: 0 });
      known.count += 1;
      counts.set(source, known);
      if (known.count < perMinute) return;
      known.loudAt = at;
      incidents.open(`signatures-failing:${source}`, { source, perMinute: known.count });
    },
    look() {
      for (const [source, known] of counts) {
        if (known.loudAt === 0 || now().getTime() - known.loudAt < QUIET_MS) continue;
        known.loudAt = 0;
        incidents.close(`signatures-failing:${source}`);
      }
    },
  };
}
