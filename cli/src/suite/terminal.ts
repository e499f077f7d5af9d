import { isRecord } from '@kopeck/core/json';

export type Say = (line: string) => void;

const WORTH_SEEING: readonly unknown[] = ['warn', 'error'];
const KNOWN: readonly string[] = ['timestamp', 'level', 'service', 'message', 'stack'];

/** What a service writes goes to its log file; warnings and errors come to the terminal as well. */
export function showTrouble(name: string, say: Say): (line: string) => void {
  return (line) => {
    const entry = parsed(line);
    if (entry === null) say(`[${name}] ${line}`);
    else if (WORTH_SEEING.includes(entry['level'])) say(`[${name}] ${sentence(entry)}`);
  };
}

function sentence(entry: Readonly<Record<string, unknown>>): string {
  const details = Object.entries(entry)
    .filter(([key]) => !KNOWN.includes(key))
    .map(([key, value]) => `${key}=${short(value)}`);
  return [`${String(entry['level'])}: ${String(entry['message'])}`, ...details].join('  ');
}

/** Of an error the message says enough; its stack is in the log file. */
function short(value: unknown): string {
  if (isRecord(value) && typeof value['message'] === 'string') return value['message'];
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function parsed(line: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(line);
    return isRecord(value) ? value : null;
  } catch {
    return null;
  }
}
