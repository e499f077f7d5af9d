import type { Pool, PoolConnection, RowDataPacket } from 'mysql2/promise';
import { inTransaction, isDatabaseTrouble } from '@kopeck/runtime/database';
import type { KopeckEvent } from '@kopeck/core/event';
import { decide, type Verdict } from './decide.ts';
import { loadKnowledge } from './load.ts';
import { quarantineOf } from './quarantine.ts';
import { record, type Head } from './record.ts';
import type { Inputs } from './stored-event.ts';

export interface BookDeps {
  readonly pool: Pool;
  /** The rates, plans and percents that are in force for an event. */
  readonly inputsFor: (event: KopeckEvent) => Inputs;
  /** Of evidence that may be gone; by default it is hashed. */
  readonly evidenceHashOf?: (event: KopeckEvent) => string;
  readonly now: () => Date;
}

/**
 * Books a batch in one transaction. The row of the chain's head is what makes several workers safe:
 * whoever holds it is alone, and what it decides to be new is new. Throws when the database is away.
 */
export function bookBatch(
  deps: BookDeps,
  events: readonly KopeckEvent[],
): Promise<readonly Verdict[]> {
  return inTransaction(deps.pool, async (tx) => {
    const head = await lockHead(tx);
    const knowledge = await loadKnowledge(tx, events);
    const verdicts = events.map((event) => decide(event, deps.inputsFor(event), knowledge));
    const { now, evidenceHashOf } = deps;
    const { earlier } = knowledge;
    await record(tx, verdicts, head, { bookedAt: now(), earlier, evidenceHashOf });
    return verdicts;
  });
}

/**
 * As bookBatch, but an event that cannot be booked at all costs its neighbours nothing: the batch is
 * halved until it stands alone, and then it is quarantined under an id of its own. Only for an error that
 * tells of the event: the database's own trouble is thrown, and the batch waits.
 */
export async function bookOrBisect(
  deps: BookDeps,
  events: readonly KopeckEvent[],
): Promise<readonly Verdict[]> {
  try {
    return await bookBatch(deps, events);
  } catch (error) {
    if (isDatabaseTrouble(error)) throw error;
    const [poison, ...others] = events;
    if (poison === undefined) return [];
    if (others.length === 0) {
      if (poison.type === 'quarantined') throw error;
      return bookBatch(deps, [quarantineOf(poison, 'unbookable', deps.now())]);
    }
    const middle = Math.ceil(events.length / 2);
    const first = await bookOrBisect(deps, events.slice(0, middle));
    return [...first, ...(await bookOrBisect(deps, events.slice(middle)))];
  }
}

async function lockHead(tx: PoolConnection): Promise<Head> {
  const [[row]] = await tx.query<RowDataPacket[]>(
    'SELECT seq, hash FROM chain_head WHERE id = 1 FOR UPDATE',
  );
  if (row === undefined) throw new Error('the ledger has no chain head: have the migrations run?');
  return { seq: BigInt(String(row['seq'])), hash: String(row['hash']) };
}
