import { inflateSync } from 'node:zlib';
import type { PoolConnection, RowDataPacket } from 'mysql2/promise';
import { sha256 } from '@kopeck/core/identity';
import type { AuditPosting, AuditRow } from './verify.ts';

const PAGE = 1_000;

/** Times as text: what JavaScript rounds away must not escape the audit. */
const INBOX = `SELECT seq, event_id, source, type, subject, network, outcome, reason, contenthash,
  CAST(occurred_at AS CHAR) AS occurred_at, CAST(received_at AS CHAR) AS received_at,
  CAST(booked_at AS CHAR) AS booked_at, data, inputs, evidence_hash, hash FROM inbox`;

/** The rows of the inbox with what hangs on them, by seq. Memory for one page, however long the books. */
export async function* readRows(tx: PoolConnection, after = -1n): AsyncGenerator<AuditRow> {
  let last = after;
  for (;;) {
    // The first page begins at zero, where nothing may be.
    const rows = await select(tx, `${INBOX} WHERE seq >= ? ORDER BY seq LIMIT ${PAGE}`, [
      last + 1n,
    ]);
    const end = rows.at(-1)?.['seq'];
    if (end === undefined) return;
    const range = [last + 1n, BigInt(String(end))];
    const hanging = await readHanging(tx, range, rows);
    for (const row of rows) yield auditRow(row, hanging);
    last = BigInt(String(end));
  }
}

/** Rows of other tables that belong to no event, named; the streams above cannot meet them. */
export async function findOrphans(tx: PoolConnection): Promise<readonly string[]> {
  const found: string[] = [];
  for (const [table, key] of [
    ['entries', 'seq'],
    ['postings', 'seq'],
    ['evidence', 'event_id'],
    ['conflicts', 'event_id'],
  ] as const) {
    const [row] = await select(
      tx,
      `SELECT t.${key} AS place FROM ${table} t LEFT JOIN inbox i ON i.${key} = t.${key}
        WHERE i.${key} IS NULL ORDER BY t.${key} LIMIT 1`,
      [],
    );
    if (row !== undefined) found.push(`${table} ${row['place']}`);
  }
  return found;
}

interface Hanging {
  readonly entries: ReadonlyMap<string, RowDataPacket>;
  readonly postings: ReadonlyMap<string, readonly AuditPosting[]>;
  readonly evidence: ReadonlyMap<string, string>;
}

async function readHanging(
  tx: PoolConnection,
  range: readonly bigint[],
  rows: readonly RowDataPacket[],
): Promise<Hanging> {
  const entries = await select(
    tx,
    `SELECT seq, event_id, CAST(booked_at AS CHAR) AS booked_at FROM entries
      WHERE seq BETWEEN ? AND ?`,
    range,
  );
  const lines = await select(
    tx,
    `SELECT seq, line, subject, account, asset, amount FROM postings
      WHERE seq BETWEEN ? AND ? ORDER BY seq, line`,
    range,
  );
  const [bodies] = await tx.query<RowDataPacket[]>(
    'SELECT event_id, body FROM evidence WHERE event_id IN (?)',
    [rows.map((row) => row['event_id'])],
  );
  const postings = Map.groupBy(lines.map(posting), ([seq]) => seq);
  return {
    entries: new Map(entries.map((row) => [String(row['seq']), row])),
    postings: new Map([...postings].map(([seq, pairs]) => [seq, pairs.map(([, line]) => line)])),
    evidence: new Map(bodies.map((row) => [String(row['event_id']), hashOf(row['body'])])),
  };
}

function posting(row: RowDataPacket): readonly [string, AuditPosting] {
  return [
    String(row['seq']),
    {
      line: Number(row['line']),
      subject: String(row['subject']),
      account: String(row['account']),
      asset: String(row['asset']),
      amount: String(row['amount']),
    },
  ];
}

function hashOf(body: unknown): string {
  try {
    return sha256(inflateSync(body as Buffer));
  } catch {
    return 'unreadable';
  }
}

function auditRow(row: RowDataPacket, { entries, postings, evidence }: Hanging): AuditRow {
  const text = (column: string): string => String(row[column]);
  const entry = entries.get(text('seq'));
  return {
    link: {
      seq: BigInt(text('seq')),
      id: text('event_id'),
      source: text('source'),
      type: text('type'),
      subject: text('subject'),
      network: text('network'),
      outcome: text('outcome'),
      reason: row['reason'] === null ? null : text('reason'),
      contenthash: text('contenthash'),
      occurredAt: isoOf(text('occurred_at')),
      receivedAt: isoOf(text('received_at')),
      evidenceHash: text('evidence_hash'),
      data: text('data'),
      inputs: text('inputs'),
    },
    hash: text('hash'),
    bookedAt: text('booked_at'),
    entry:
      entry === undefined
        ? null
        : { eventId: String(entry['event_id']), bookedAt: String(entry['booked_at']) },
    postings: postings.get(text('seq')) ?? [],
    evidenceHash: evidence.get(text('event_id')) ?? null,
  };
}

/** '2026-10-05 12:00:00.000' as the chain has it. */
function isoOf(written: string): string {
  return `${written.replace(' ', 'T')}Z`;
}

async function select(
  tx: PoolConnection,
  sql: string,
  values: readonly unknown[],
): Promise<readonly RowDataPacket[]> {
  const [rows] = await tx.query<RowDataPacket[]>(sql, values.map(String));
  return rows;
}
