import { inflateSync } from 'node:zlib';
import type { Pool, PoolConnection, RowDataPacket } from 'mysql2/promise';
import type { KopeckEvent } from '@kopeck/core/event';
import { sha256 } from '@kopeck/core/identity';
import { inSnapshot } from './audit/audit.ts';
import { readRows } from './audit/rows.ts';
import type { AuditRow, Head } from './audit/verify.ts';
import { bookBatch } from './book.ts';
import { GENESIS } from './chain.ts';
import { COMPLETED } from './decide.ts';
import { copyMemory } from './rebuild-memory.ts';
import type { Inputs } from './stored-event.ts';

/** The new books went another way than the old ones. */
export class RebuildDiffers extends Error {
  override name = 'RebuildDiffers' as const;
}

/** Told of every event that is booked again, with its raw evidence while that is kept. */
export type Booked = (event: KopeckEvent, seq: bigint) => Promise<void>;

interface Replay {
  readonly tx: PoolConnection;
  readonly into: Pool;
  readonly booked: Booked;
}

/** As large as a batch of the worker. */
const BATCH = 200;

/**
 * Books every event of the inbox again, in its order and by the rates that were used then, into a
 * database that is migrated and empty. Throws RebuildDiffers at the first row that comes out otherwise.
 */
export async function rebuild(
  from: Pool,
  into: Pool,
  booked: Booked = () => Promise.resolve(),
): Promise<Head> {
  return inSnapshot(from, async (tx) => {
    await requireEmpty(into);
    const replay = (rows: readonly AuditRow[]): Promise<Head> =>
      replayRows({ tx, into, booked }, rows);
    let head: Head = { seq: 0n, hash: GENESIS };
    let batch: AuditRow[] = [];
    for await (const row of readRows(tx)) {
      if (batch.length > 0 && !belongs(row, batch)) {
        head = await replay(batch);
        batch = [];
      }
      batch.push(row);
    }
    if (batch.length > 0) head = await replay(batch);
    await copyMemory(tx, into);
    return head;
  });
}

/** Booked at the same moment, and not the completion of one that is in the batch already. */
function belongs(row: AuditRow, batch: readonly AuditRow[]): boolean {
  if (batch.length >= BATCH || batch[0]?.bookedAt !== row.bookedAt) return false;
  return !batch.some((other) => eventIdOf(other) === eventIdOf(row));
}

async function requireEmpty(into: Pool): Promise<void> {
  const [rows] = await into.query<RowDataPacket[]>('SELECT 1 FROM inbox LIMIT 1');
  if (rows.length > 0) throw new RebuildDiffers('The new database has books already.');
}

/** Rows that were booked at one moment, and as of that moment. */
async function replayRows({ tx, into, booked }: Replay, rows: readonly AuditRow[]): Promise<Head> {
  const evidence = await evidenceOf(tx, rows);
  const byId = new Map(rows.map((row) => [eventIdOf(row), row]));
  const events = rows.map((row) => eventOf(row, evidence));
  const bookedAt = new Date(`${rows[0]?.bookedAt.replace(' ', 'T')}Z`);
  await bookBatch(
    {
      pool: into,
      inputsFor: ({ id }) => JSON.parse(byId.get(id)?.link.inputs ?? '{}') as Inputs,
      evidenceHashOf: ({ id }) => byId.get(id)?.link.evidenceHash ?? '',
      now: () => bookedAt,
    },
    events,
  );
  const head = await compare(into, rows);
  for (const [index, event] of events.entries()) {
    await booked(event, rows[index]?.link.seq ?? 0n);
  }
  return head;
}

async function compare(into: Pool, rows: readonly AuditRow[]): Promise<Head> {
  const [made] = await into.query<RowDataPacket[]>(
    'SELECT seq, event_id, outcome, reason, hash FROM inbox WHERE seq >= ? ORDER BY seq',
    [String(rows[0]?.link.seq)],
  );
  rows.forEach(({ link, hash }, index) => {
    if (made[index]?.['hash'] === hash) return;
    const other = made[index];
    const what = `${link.id} ${link.outcome}`;
    const now = other === undefined ? 'nothing' : `${other['event_id']} ${other['outcome']}`;
    throw new RebuildDiffers(`seq ${link.seq} was ${what} and becomes ${now}`);
  });
  const { link, hash } = rows.at(-1) as AuditRow;
  return { seq: link.seq, hash };
}

async function evidenceOf(
  tx: PoolConnection,
  rows: readonly AuditRow[],
): Promise<ReadonlyMap<string, string>> {
  const [bodies] = await tx.query<RowDataPacket[]>(
    'SELECT event_id, body FROM evidence WHERE event_id IN (?)',
    [rows.map(({ link }) => link.id)],
  );
  return new Map(
    bodies.map((row) => [String(row['event_id']), inflateSync(row['body'] as Buffer).toString()]),
  );
}

function eventIdOf({ link }: AuditRow): string {
  return link.id.endsWith(COMPLETED) ? link.id.slice(0, -COMPLETED.length) : link.id;
}

function eventOf(row: AuditRow, evidence: ReadonlyMap<string, string>): KopeckEvent {
  const { id, source, type, subject, network, contenthash, occurredAt, receivedAt } = row.link;
  const raw = evidence.get(id) ?? '';
  if (raw !== '' && sha256(raw) !== row.link.evidenceHash)
    throw new RebuildDiffers(`seq ${row.link.seq}: the evidence is not what came`);
  const event: unknown = {
    specversion: '1.0',
    id: eventIdOf(row),
    source,
    type,
    subject,
    time: occurredAt,
    receivedat: receivedAt,
    network,
    contenthash,
    data: JSON.parse(row.link.data),
    evidence: raw,
  };
  return event as KopeckEvent;
}
