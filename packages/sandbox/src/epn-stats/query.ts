import type { StatsRow } from './epn-stats.ts';

/** What was asked for, but for the page. Dates are days, YYYY-MM-DD, and the last one counts. */
export type StatsQuery = Readonly<
  Partial<Record<'tsFrom' | 'tsTo' | 'statusUpdatedStart' | 'statusUpdatedEnd', string>>
>;

const NAMES = ['tsFrom', 'tsTo', 'statusUpdatedStart', 'statusUpdatedEnd'] as const;
const DAY_MS = 86_400_000;
const MOST_DAYS = 365;

export function queryOf(given: Readonly<Record<string, unknown>>): StatsQuery {
  const asked = NAMES.map((name) => [name, given[name]] as const);
  return Object.fromEntries(asked.filter(([, value]) => typeof value === 'string'));
}

/** Null: nothing. The API has no transactions that are older than a year, and knows no times of a day. */
export function refusalOf(query: StatsQuery, now: Date): string | null {
  const isDay = (text: string): boolean => /^\d{4}-\d\d-\d\d$/.test(text);
  if (!Object.values(query).every(isDay)) return 'A date is written YYYY-MM-DD';
  const { tsFrom } = query;
  const days = tsFrom === undefined ? 0 : (now.getTime() - Date.parse(tsFrom)) / DAY_MS;
  // The day itself is one of them.
  return days >= MOST_DAYS + 1 ? 'tsFrom is more than 365 days ago' : null;
}

export function isIn({ attributes, updated }: StatsRow, query: StatsQuery): boolean {
  const { tsFrom, tsTo, statusUpdatedStart, statusUpdatedEnd } = query;
  const ordered = attributes['order_time'];
  const day = typeof ordered === 'string' ? ordered.slice(0, 10) : undefined;
  return isBetween(day, tsFrom, tsTo) && isBetween(updated, statusUpdatedStart, statusUpdatedEnd);
}

/** What has no date is in every window. */
function isBetween(day: string | undefined, from = '0000', to = '9999'): boolean {
  return day === undefined || (day >= from && day <= to);
}
