import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { audit } from '../src/audit/audit.ts';
import type { Head } from '../src/audit/verify.ts';
import { openBooks, type Books } from './books.ts';
import { DAMAGES, restoreTable, TRUNCATE_WITH_HEAD, withoutGuards } from './damage.ts';
import { everything } from './history.ts';

// As audit.test.ts, and in a real database: the tables are damaged, and `kopeck audit` is asked.

const TABLES = ['inbox', 'evidence', 'entries', 'postings', 'chain_head'];

let books: Books;
let head: Head;
beforeAll(async () => {
  books = await openBooks(inject('mariadbRootUrl'), { EPN_CASHBACK_PERCENT: '10' });
  for (const event of everything()) await books.book(event);
  ({ head } = await audit(books.pool));
  await withoutGuards(books, TABLES);
});
afterAll(() => books.close());

const KINDS = Object.keys(DAMAGES);

test.each(KINDS)(
  'of random damages of the kind "%s" the first bad place is named',
  async (kind) => {
    // Bytes are many, and of the others every row is soon met.
    const numRuns = kind === 'change' ? 25 : 5;
    const anchors = kind === TRUNCATE_WITH_HEAD ? [head] : [];
    const count = everything().length;
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.nat(), async (row, dice) => {
        const place = await DAMAGES[kind]?.({ books, count, at: 1 + (row % count), dice });
        const { problem } = await audit(books.pool, anchors);
        for (const table of TABLES) await restoreTable(books, table);
        expect(problem?.place).toBe(place);
      }),
      { numRuns, endOnFailure: true },
    );
  },
);

test('books that were damaged and mended again are whole', async () => {
  expect(await audit(books.pool, [head])).toMatchObject({ head, problem: null });
});
