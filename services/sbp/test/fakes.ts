import type { KopeckEvent } from '@kopeck/core/event';
import { jobId } from '@kopeck/core/identity';
import type { Log } from '@kopeck/runtime/log';

/** Keeps each event once; refuses while its error is set. */
export function fakeJournal(): {
  events: KopeckEvent[];
  append: (event: KopeckEvent) => Promise<'accepted' | 'duplicate'>;
  journal: { error: Error | null };
} {
  const events: KopeckEvent[] = [];
  const journal: { error: Error | null } = { error: null };
  return {
    events,
    journal,
    async append(event) {
      if (journal.error !== null) throw journal.error;
      if (events.some((known) => jobId(known) === jobId(event))) return 'duplicate';
      events.push(event);
      return 'accepted';
    },
  };
}

/** Every line, with what it carried. */
export function fakeLog(): { log: Log; lines: string[] } {
  const lines: string[] = [];
  const write = (message: string, meta?: object): void => {
    lines.push(JSON.stringify([message, meta], (_key, value: unknown) => spelled(value)));
  };
  return { log: { error: write, warn: write, info: write, debug: write }, lines };
}

function spelled(value: unknown): unknown {
  if (!(value instanceof Error)) return value;
  return Object.fromEntries(
    Object.getOwnPropertyNames(value).map((key) => [key, Reflect.get(value, key)]),
  );
}
