import type { TimeFormat } from './network.ts';

/** A time in ISO 8601 and UTC, where its format tells the zone; otherwise the text as it came. */
export function timeText(text: string, format: TimeFormat | undefined): string {
  if (format === undefined || format === 'as_written') return text;
  const ms = format === 'iso' ? isoMs(text) : unixMs(text, format);
  const time = new Date(ms);
  return Number.isNaN(time.getTime()) ? text : time.toISOString();
}

/** Without a zone it would be read in the zone of this machine. */
function isoMs(text: string): number {
  return /(?:Z|[+-]\d{2}:?\d{2})$/.test(text.trim()) ? Date.parse(text.trim()) : Number.NaN;
}

function unixMs(text: string, format: 'unix_s' | 'unix_ms'): number {
  if (!/^\d{1,14}$/.test(text.trim())) return Number.NaN;
  return Number(text.trim()) * (format === 'unix_s' ? 1_000 : 1);
}
