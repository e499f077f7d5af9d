/** How long after each failure the next attempt comes. After the last one a message is dead. */
const SCHEDULE_S = [5, 300, 1_800, 7_200, 18_000, 36_000, 36_000];
const SPREAD = 0.2;
/** A receiver may ask for more patience than the schedule has, within reason. */
const LONGEST_MS = 24 * 3_600_000;

/** What decides about the next attempt; `random` gives 0 to 1. */
export interface Failed {
  /** How often it had failed before. */
  readonly attempts: number;
  readonly now: Date;
  readonly retryAfterMs: number | null;
  readonly random: () => number;
}

/** Null: it has been tried often enough. Never sooner than the receiver has asked for. */
export function nextTry({ attempts, now, retryAfterMs, random }: Failed): Date | null {
  const seconds = SCHEDULE_S[attempts];
  if (seconds === undefined) return null;
  const spread = 1 - SPREAD + 2 * SPREAD * random();
  const asked = Math.min(retryAfterMs ?? 0, LONGEST_MS);
  return new Date(now.getTime() + Math.max(seconds * 1_000 * spread, asked));
}

/** The header in either of its forms: seconds, or a date. Null: it says nothing. */
export function readRetryAfter(header: string | undefined, now: Date): number | null {
  if (header === undefined) return null;
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1_000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? null : Math.max(0, at - now.getTime());
}
