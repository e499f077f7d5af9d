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
}

export type Message = 'opening' | 'reminder' | 'closing';

export interface Patience {
  readonly reminderMs: number;
  /** Doubles as the unit of the back-off. */
  readonly retryMs: number;
}

const MAIL_ATTEMPTS = 5;
const BACKOFF = 5;

/** Of an incident that is open already only the detail is news; one that had just ended goes on. */
export function opened(
  known: Incident | undefined,
  news: Pick<Incident, 'service' | 'kind' | 'detail' | 'since'>,
): Incident {
  if (known !== undefined) return { ...known, detail: news.detail, endedAt: null };
  return { ...news, endedAt: null, toldAt: null, failures: 0, retryAt: null };
}

/** An earlier life of the courier knew of it, and has mailed it already if it could. */
export function continued(mine: Incident, { since, toldAt }: Incident): Incident {
  return { ...mine, since, toldAt: mine.toldAt ?? toldAt };
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
  const { toldAt, endedAt, retryAt } = incident;
  if (retryAt !== null && now.getTime() < Date.parse(retryAt)) return null;
  if (toldAt === null) return 'opening';
  if (endedAt !== null) return 'closing';
  if (reminderMs === 0) return null;
  return now.getTime() - Date.parse(toldAt) >= reminderMs ? 'reminder' : null;
}

/** Null: the story is over. */
export function told(incident: Incident, message: Message, at: Date): Incident | null {
  if (message === 'closing') return null;
  return { ...incident, ...NOTHING_FAILED, toldAt: at.toISOString() };
}

/** After the last attempt the message counts as told: mail is given up, never anything else. */
export function notTold(
  incident: Incident,
  message: Message,
  at: Date,
  patience: Patience,
): Incident | null {
  const failures = incident.failures + 1;
  const retryAt = nextAttempt(failures, at, patience.retryMs);
  if (retryAt === null) return told(incident, message, at);
  return { ...incident, failures, retryAt: retryAt.toISOString() };
}

/** Null: it has been tried often enough. */
export function nextAttempt(failures: number, at: Date, retryMs: number): Date | null {
  if (failures >= MAIL_ATTEMPTS) return null;
  return new Date(at.getTime() + retryMs * BACKOFF ** (failures - 1));
}

const NOTHING_FAILED = { failures: 0, retryAt: null } as const;
