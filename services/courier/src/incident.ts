import type { IncidentDetail } from '@kopeck/runtime/incidents';

/** One thing that is wrong, from its first mail to its last. Times are ISO 8601. */
export interface Incident {
  readonly service: string;
  readonly kind: string;
  readonly detail: IncidentDetail;
  readonly since: string;
  /** Null while it is open. */
  readonly endedAt: string | null;
  /** When the newest message about it went out; null before the first. */
  readonly toldAt: string | null;
  /** How often the message that is due now has failed. */
  readonly failures: number;
  /** Not before this moment; null: at once. */
  readonly retryAt: string | null;
  /** When it began, in the last half hour: what comes and goes too often is told once as such. */
  readonly openings: readonly string[];
  /** When its end was told. It is kept for a while only to see whether it comes back; null before. */
  readonly restsSince: string | null;
}

export type Message = 'opening' | 'flapping' | 'reminder' | 'closing';

export interface Patience {
  readonly reminderMs: number;
  /** Doubles as the unit of the back-off. */
  readonly retryMs: number;
}

const BACKOFF = 5;
const LONGEST_WAIT_MS = 3_600_000;
const FLAPPING_MS = 30 * 60_000;
/** So many openings within that time are mails of their own. */
const OPENINGS = 3;

/** Of an incident that is open already only the detail is news; one that had just ended goes on. */
export function opened(
  known: Incident | undefined,
  news: Pick<Incident, 'service' | 'kind' | 'detail' | 'since'>,
): Incident {
  if (known !== undefined && known.restsSince === null) {
    return { ...known, detail: news.detail, endedAt: null };
  }
  const begun = { endedAt: null, toldAt: null, ...NOTHING_FAILED, restsSince: null };
  return { ...news, ...begun, openings: openingsOf(known, news.since) };
}

/** An earlier life of the courier knew of it, and has mailed it already if it could. */
export function continued(mine: Incident, earlier: Incident): Incident {
  if (earlier.restsSince !== null) {
    return { ...mine, openings: openingsOf(earlier, mine.since) };
  }
  const { since, toldAt, openings } = earlier;
  return { ...mine, since, toldAt: mine.toldAt ?? toldAt, openings };
}

function openingsOf(known: Incident | undefined, since: string): readonly string[] {
  const newest = Date.parse(since);
  const recent = known?.openings.filter((at) => newest - Date.parse(at) < FLAPPING_MS);
  return [...(recent ?? []), since];
}

/** Whether it need not be kept any longer to see whether it comes back. */
export function isForgotten({ restsSince }: Incident, now: Date): boolean {
  return restsSince !== null && now.getTime() - Date.parse(restsSince) >= FLAPPING_MS;
}

export function ended(known: Incident, at: string): Incident {
  if (known.endedAt !== null) return known;
  return { ...known, endedAt: at, ...(known.toldAt === null ? {} : NOTHING_FAILED) };
}

/** Which message the operator is owed now. The opening one always comes, however late. */
export function dueMessage(
  incident: Incident,
  now: Date,
  { reminderMs }: Patience,
): Message | null {
  const { toldAt, endedAt, retryAt, restsSince, openings } = incident;
  const isWaiting = retryAt !== null && now.getTime() < Date.parse(retryAt);
  if (isWaiting || restsSince !== null) return null;
  const isFlapping = openings.length > OPENINGS;
  if (toldAt === null) return isFlapping ? 'flapping' : 'opening';
  if (endedAt !== null) return isFlapping && !isQuiet(endedAt, now) ? null : 'closing';
  return isDue(toldAt, reminderMs, now) ? 'reminder' : null;
}

/** 0: never. */
function isDue(toldAt: string, reminderMs: number, now: Date): boolean {
  return reminderMs > 0 && now.getTime() - Date.parse(toldAt) >= reminderMs;
}

function isQuiet(endedAt: string, now: Date): boolean {
  return now.getTime() - Date.parse(endedAt) >= FLAPPING_MS;
}

/** What has begun again while its end was being told is news once more. */
export function told(incident: Incident, message: Message, at: Date): Incident {
  const time = at.toISOString();
  if (message !== 'closing') return { ...incident, ...NOTHING_FAILED, toldAt: time };
  if (incident.endedAt === null) return { ...incident, ...NOTHING_FAILED, toldAt: null };
  return { ...incident, ...NOTHING_FAILED, restsSince: time };
}

export function notTold(incident: Incident, at: Date, { retryMs }: Patience): Incident {
  const failures = incident.failures + 1;
  return { ...incident, failures, retryAt: nextAttempt(failures, at, retryMs).toISOString() };
}

/** Each wait is five times the one before, up to an hour: a mail server that is down loses no alert. */
export function nextAttempt(failures: number, at: Date, retryMs: number): Date {
  const waitMs = retryMs * BACKOFF ** Math.min(failures - 1, 20);
  return new Date(at.getTime() + Math.min(waitMs, LONGEST_WAIT_MS));
}

const NOTHING_FAILED = { failures: 0, retryAt: null } as const;
