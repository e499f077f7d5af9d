import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect } from 'vitest';
import type { KopeckEvent } from '@kopeck/core/event';
import type { Journal } from '@kopeck/runtime/journal';

/** The names of the tiny events that wait. */
export async function idsOf(journal: Journal): Promise<readonly string[]> {
  return (await journal.pending(10_000)).map(({ event }) => nameOf(event));
}

/** And of all that a closed journal has left in its folder. */
export function rowsIn(folder: string): readonly string[] {
  const [file = ''] = readdirSync(folder).filter((name) => name.endsWith('.sqlite'));
  const db = new DatabaseSync(join(folder, file));
  expect(db.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
  const rows = db.prepare('SELECT event FROM events ORDER BY seq').all();
  db.close();
  return rows.map(({ event }) => nameOf(JSON.parse(String(event)) as KopeckEvent));
}

export function nameOf({ subject }: KopeckEvent): string {
  return subject.replace('affiliate:epn_bz:', '');
}
