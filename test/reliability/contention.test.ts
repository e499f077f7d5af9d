import { expect, inject, test } from 'vitest';
import { contend } from '../rig/contend.ts';

// Ledgers that are killed with kill -9 while they book: for some seconds. For longer: npm run contention. That
// deadlocks come about is seen to in services/ledger/test/contention.test.ts.

test.for(['OFF', 'ON'] as const)(
  'two ledgers that are killed in turn, and a MariaDB that is killed, leave the books of the list: snapshot isolation %s',
  { timeout: 240_000 },
  async (isolation) => {
    const template = inject('mariadbTemplate');
    const result = await contend({ isolation, seconds: 6, eventsASecond: 150, template });
    expect(result).toMatchObject({
      booked: result.events,
      givenUp: 0,
      audit: 'whole',
      books: 'equal',
    });
    expect(result.kills).toBeGreaterThan(0);
  },
);
