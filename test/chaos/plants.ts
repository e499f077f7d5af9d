import type { Fault } from './faults.ts';

/** A text of the source that stands there exactly once, and what a careless hand would make of it. */
export interface Edit {
  readonly file: string;
  readonly find: string;
  readonly put: string;
}

/** A bug of somebody's receiver, to be made in a copy of the source: chaos must find it. */
export interface Plant {
  readonly name: string;
  readonly edits: readonly [Edit, ...Edit[]];
  readonly faults: readonly Fault[];
  readonly minutes: number;
  /** The only processes that are killed or cut off; unset: any. */
  readonly copies?: readonly string[];
  /** It is caught at the start already: nothing comes up. */
  readonly stops?: true;
}

const BATCHES = 'packages/runtime/src/journal-batches.ts';
const FORWARDER = 'packages/runtime/src/forwarder.ts';
const QUEUE = 'packages/runtime/src/queue.ts';
const BOOK = 'services/ledger/src/book.ts';
const LOAD = 'services/ledger/src/load.ts';
const RECORD = 'services/ledger/src/record.ts';
const TELEGRAM = 'services/crypto/src/telegram/normalise.ts';
const LEDGERS = ['ledger', 'ledger-2'];

export const PLANTS: readonly Plant[] = [
  {
    name: 'answers before the fsync',
    edits: [
      {
        file: BATCHES,
        find: 'if (batch.push({ row, resolve, reject }) === 1 && !isWriting) begin();',
        put: `resolve(true);
              if (batch.push({ row, resolve, reject }) === 1 && !isWriting) begin();`,
      },
      { file: BATCHES, find: 'setImmediate(gather, 0);', put: 'setTimeout(flush, 1_000);' },
    ],
    faults: ['kill'],
    copies: ['crypto', 'epn'],
    minutes: 0.4,
  },
  {
    name: 'marks a row before Redis has acknowledged it',
    edits: [
      {
        file: FORWARDER,
        find: 'await publishWithin(queue.publish(rows.map(({ event }) => event)));',
        put: `void delay(1_000)
                .then(() => queue.publish(rows.map(({ event }) => event)))
                .catch(() => undefined);`,
      },
    ],
    faults: ['kill'],
    copies: ['crypto', 'epn'],
    minutes: 0.4,
  },
  {
    name: 'Redis without its append-only file',
    edits: [
      {
        file: 'packages/testing/src/private-redis.ts',
        find: "'appendonly yes',",
        put: "'appendonly no',",
      },
    ],
    faults: ['redis'],
    minutes: 0.1,
    stops: true,
  },
  {
    name: 'finds duplicates by the payload',
    edits: [
      {
        file: 'packages/core/src/make-event.ts',
        find: 'eventId(source, type, draft.identity)',
        put: 'eventId(source, type, [draft.evidence])',
      },
    ],
    faults: ['kill'],
    minutes: 0.1,
  },
  {
    name: 'INSERT IGNORE in place of a look',
    edits: [
      {
        file: LOAD,
        find: '  await loadSeen(tx, events, knowledge);',
        put: '  if (events.length < 0) await loadSeen(tx, events, knowledge);',
      },
      { file: RECORD, find: 'INSERT INTO inbox', put: 'INSERT IGNORE INTO inbox' },
      { file: RECORD, find: 'INSERT INTO evidence', put: 'INSERT IGNORE INTO evidence' },
      { file: RECORD, find: 'INSERT INTO entries', put: 'INSERT IGNORE INTO entries' },
      { file: RECORD, find: 'INSERT INTO postings', put: 'INSERT IGNORE INTO postings' },
    ],
    faults: ['kill'],
    minutes: 0.2,
  },
  {
    name: 'marks an event as done before its effects are',
    edits: [
      {
        file: RECORD,
        find: '  await recordEntries(tx, rows, bookedAt);',
        put: `  await tx.query('COMMIT');
                await new Promise((done) => setTimeout(done, 1_000));
                await tx.query('START TRANSACTION');
                await recordEntries(tx, rows, bookedAt);`,
      },
    ],
    faults: ['kill'],
    copies: LEDGERS,
    minutes: 0.4,
  },
  {
    name: "books without the lock of the chain's head",
    edits: [
      {
        file: BOOK,
        find: "'SELECT seq, hash FROM chain_head WHERE id = 1 FOR UPDATE'",
        put: "'SELECT seq, hash, SLEEP(0.2) FROM chain_head WHERE id = 1'",
      },
    ],
    faults: ['slow'],
    minutes: 0.5,
  },
  {
    name: 'adds a text to an amount',
    edits: [
      {
        file: 'packages/runtime/migrations/0018-ledger-late-rows.sql',
        find: 'amount = balances.amount + VALUES(amount)',
        put: 'amount = balances.amount + CONCAT(VALUES(amount))',
      },
    ],
    faults: ['slow'],
    minutes: 0.2,
  },
  {
    name: "BullMQ's own count of stalls",
    edits: [{ file: QUEUE, find: '    maxStalledCount: 1e9,', put: '' }],
    faults: ['kill', 'mariadb'],
    copies: LEDGERS,
    minutes: 0.8,
  },
  {
    name: 'quarantines under the id of the business',
    edits: [
      {
        file: 'packages/core/src/receive.ts',
        find: '  await append(event);',
        put: `  const [, invoice] = /"invoice_id":(\\d+)/.exec(delivery.body.toString()) ?? [];
                const id = eventId(source.name, 'payment.paid', ['31337', 'main', String(invoice)]);
                await append({ ...event, id });`,
      },
      {
        file: 'packages/core/src/receive.ts',
        find: "import { makeEvent } from './make-event.ts';",
        put: `import { eventId } from './identity.ts';
              import { makeEvent } from './make-event.ts';`,
      },
    ],
    faults: ['kill'],
    minutes: 0.2,
  },
  {
    name: 'a refund known by its order',
    edits: [
      {
        file: TELEGRAM,
        find: "type: 'payment.refunded',",
        put: "type: 'payment.refunded', identity: [bot, String(message.payload)],",
      },
    ],
    faults: ['kill'],
    minutes: 0.2,
  },
  {
    name: 'a kopeck too much by SBP',
    edits: [
      {
        file: 'services/sbp/src/events.ts',
        find: 'roubles(paidKopecks ?? order.kopecks)',
        put: 'roubles((paidKopecks ?? order.kopecks) + 1n)',
      },
    ],
    faults: ['slow'],
    minutes: 0.1,
  },
  {
    name: 'an invoice without its order',
    edits: [
      {
        file: 'services/crypto/src/invoices/issue.ts',
        find: '  await appendOrForget(draft, deps);',
        put: "  if (draft.orderId === '') await appendOrForget(draft, deps);",
      },
    ],
    faults: ['slow'],
    minutes: 0.1,
  },
  {
    name: 'a refresh that is told under two names',
    edits: [
      {
        file: 'services/admin/src/refresh-events.ts',
        find: '    await append(event);',
        put: "    for (const id of [event.id, event.id.replace(/..$/, '00')]) await append({ ...event, id });",
      },
    ],
    faults: ['slow'],
    minutes: 0.1,
  },
];
