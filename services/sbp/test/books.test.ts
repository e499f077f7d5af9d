import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { KopeckEvent } from '@kopeck/core/event';
import { formatRoubles, parseRoubles } from '@kopeck/core/roubles';
import { waitFor } from '@kopeck/testing/wait-for';
import { openBooks, type Books } from '../../ledger/test/books.ts';
import {
  createSbpDatabase,
  DOUBLES,
  getStatus,
  giveBackByHand,
  notify,
  payAt,
  post,
  postPayment,
  sandboxQrs,
  startTestSbp,
  turn,
  type RunningSbp,
  type SandboxQr,
  type SbpDatabase,
} from './running-sbp.ts';

// Whatever happens on the way, and whatever of it we hear: the ledger's books are the bank's in the end.

/** Per provider. `npm run test:sbp` takes more. */
const WALKS = Number(process.env['SBP_WALKS'] ?? 5);
const HOUR_MS = 3_600_000;

let database: SbpDatabase;
let sbp: RunningSbp;
let books: Books;
beforeAll(async () => {
  database = await createSbpDatabase();
  sbp = await startTestSbp(database, { timeoutMs: 10_000, hasCallbacks: true });
  books = await openBooks(inject('mariadbRootUrl'));
});
afterAll(async () => {
  await sbp.close();
  await books.close();
  await database.drop();
});

/** A bank, and the one code of it that a walk is about. */
interface Scene {
  readonly sandboxUrl: string;
  readonly double: string;
  readonly orderId: string;
  readonly qrId: string;
}

const STEPS: Readonly<Record<string, (scene: Scene) => Promise<unknown>>> = {
  pay: (scene) => payAt(scene, scene.qrId),
  decline: (scene) => payAt(scene, scene.qrId, { decline: true }),
  callback: (scene) => notify(scene, scene.qrId),
  lie: (scene) => notify(scene, scene.qrId, { paymentStatus: 'SUCCESS', amount: '7' }),
  poll: () => sbp.looker.lookAtDue(),
  'poll later': async () => {
    sbp.advance(60_000);
    await sbp.looker.lookAtDue();
  },
  'let an hour pass': async () => sbp.advance(HOUR_MS + 61_000),
  'let it expire': async () => {
    sbp.advance(HOUR_MS + 61_000);
    await sbp.looker.lookAtDue();
  },
  'keep it back': (scene) => turn(scene, { holdStatus: true }),
  'show it': (scene) => turn(scene, { holdStatus: false }),
  'break the next poll': (scene) => turn(scene, { faults: [{ on: 'read', kind: 'lose-answer' }] }),
  'give back': ({ orderId }) =>
    post(sbp, `/api/payment/${orderId}/refund`, { refundId: 'r1', amount: '0.30' }),
  'give back more': ({ orderId }) =>
    post(sbp, `/api/payment/${orderId}/refund`, { refundId: 'r2', amount: '0.20' }),
};

const walks = fc.record({
  // Where nothing is paid there is little to get wrong: payers come often.
  steps: fc.array(fc.constantFrom('pay', 'pay', ...Object.keys(STEPS)), {
    minLength: 2,
    maxLength: 12,
  }),
  kopecks: fc.integer({ min: 1_000, max: 9_999_999 }),
  hearsOfTheEnd: fc.boolean(),
  dice: fc.array(fc.nat(1_000), { minLength: 12, maxLength: 12 }),
});

/** Paid at the last moment, which nobody hears of before the code has expired, and given back in part. */
const LATE = {
  steps: ['keep it back', 'pay', 'let it expire', 'show it', 'poll later', 'give back', 'callback'],
  kopecks: 12_345,
  hearsOfTheEnd: false,
  dice: [7, 3, 9, 1, 6, 2, 3, 5, 3, 8, 4, 0],
};

let runs = 0;

test.for(Object.entries(DOUBLES))(
  'at %s any order of any subset of callbacks, polls and expiries ends in the bank’s own books',
  async ([provider, double]) => {
    let owed = 0n;
    await fc.assert(
      fc.asyncProperty(walks, async ({ steps, kopecks, hearsOfTheEnd, dice }) => {
        const heardBefore = sbp.events.length;
        const scene = await begin(provider, double, kopecks);
        for (const step of steps) await STEPS[step]?.(scene);
        await end(scene, hearsOfTheEnd);

        const qr = await qrOf(scene);
        owed += takenBy(qr);
        await untilStatus(scene, statusesOf(qr));
        await book(sbp.events.slice(heardBefore), dice);
        expect(await booksOf(provider)).toBe(formatRoubles(owed));
      }),
      { numRuns: WALKS, examples: [[LATE]] },
    );
  },
);

test('the books of all of them are balanced, and nothing is left over', async () => {
  const balances = await books.balances();
  const accounts = balances.map((line) => line.split(' ')[0]);
  expect(new Set(accounts)).toEqual(
    new Set(['sales', ...Object.keys(DOUBLES).map((name) => `provider:sbp:${name}`)]),
  );
  const sum = balances.reduce((total, line) => total + kopecksIn(line), 0n);
  expect(sum).toBe(0n);
  const open = await books.query("SELECT reason FROM reviews WHERE state <> 'settled'");
  expect(open.filter(({ reason }) => reason !== 'partial-refund')).toEqual([]);
});

/** Thirty of a hundred, somehow; of a refund by hand nobody hears before the next look. */
const GIVE: Readonly<Record<string, (scene: Scene) => Promise<unknown>>> = {
  look: async (scene) => {
    await notify(scene, scene.qrId);
    await untilLookedAt(scene);
  },
  'by hand': ({ orderId }) => giveBackByHand(sbp, orderId, 3_000n),
  'by the shop': ({ orderId }) =>
    post(sbp, `/api/payment/${orderId}/refund`, { refundId: orderId, amount: 30 }),
  'by the shop, in vain': async (scene) => {
    await turn(scene, { refunds: 'hold' });
    await post(sbp, `/api/payment/${scene.orderId}/refund`, { refundId: 'r', amount: 30 });
    // A look at what was given by hand before: it cannot be told from this one yet.
    await GIVE['look']?.(scene);
    await turn(scene, { refunds: 'decline' });
    sbp.advance(6_000);
    await sbp.refunder.lookAtDue();
    await turn(scene, { refunds: 'succeed' });
  },
};

test.each([
  [['by hand', 'look', 'by hand', 'look'], '40'],
  [['by the shop', 'by hand', 'look'], '40'],
  [['by hand', 'look', 'by the shop'], '40'],
  [['by hand', 'by the shop', 'by hand', 'look'], '10'],
  [['by hand', 'by the shop, in vain'], '70'],
])('at yookassa, of a hundred given back %j, %s are left in the books', async (steps, left) => {
  const before = roubles(await booksOf('yookassa'));
  const heardBefore = sbp.events.length;
  const scene = await begin('yookassa', 'yookassa', 10_000);
  await payAt(scene, scene.qrId);
  for (const step of ['look', ...steps]) await GIVE[step]?.(scene);
  await untilLookedAt(scene);
  await untilStatus(scene, ['partially_refunded']);
  await book(sbp.events.slice(heardBefore), [7, 3, 9, 1, 6, 2, 5]);
  expect(roubles(await booksOf('yookassa')) - before).toBe(roubles(left));
});

test('another amount than the order’s goes to suspense, and the ledger has it mailed to a person', async () => {
  const heardBefore = sbp.events.length;
  const scene = await begin('tbank', 'tbank', 10_000);
  await turn(scene, { claimedAmount: '99.99' });
  await payAt(scene, scene.qrId);
  await notify(scene, scene.qrId);
  await waitFor(() => sbp.events.length === heardBefore + 2);
  await turn(scene, { claimedAmount: null });
  expect((await getStatus(sbp, scene.orderId)).body['status']).toBe('pending');

  await books.book(...sbp.events.slice(heardBefore));
  expect((await books.balances()).filter((line) => line.startsWith('suspense'))).toEqual([
    'suspense -99.99 RUB',
  ]);
  const alerts = await books.query("SELECT payload FROM outbox WHERE kind = 'alert'");
  expect(JSON.stringify(alerts)).toContain('suspense');
});

async function begin(provider: string, double: string, kopecks: number): Promise<Scene> {
  runs += 1;
  const orderId = `walk-${runs}`;
  const { sandboxUrl } = sbp;
  await turn({ sandboxUrl, double }, { callbacks: 'drop', holdStatus: false, faults: [] });
  const amount = formatRoubles(BigInt(kopecks));
  const { body } = await postPayment(sbp, { amount, orderId, provider });
  return { sandboxUrl, double, orderId, qrId: String(body['qrcId']) };
}

/** All shows, and the last look of the plan is over; whether a callback comes makes no difference. */
async function end(scene: Scene, hearsOfTheEnd: boolean): Promise<void> {
  await turn(scene, { holdStatus: false, faults: [] });
  if (hearsOfTheEnd) await notify(scene, scene.qrId);
  for (const hours of [2, 26]) {
    sbp.advance(hours * HOUR_MS);
    await sbp.looker.lookAtDue();
    await sbp.refunder.lookAtDue();
  }
}

async function qrOf(scene: Scene): Promise<SandboxQr> {
  const found = (await sandboxQrs(scene)).find(({ qrId }) => qrId === scene.qrId);
  if (found === undefined) throw new Error('the bank has lost a code');
  return found;
}

/** What the bank owes the merchant for this code. Kopecks. */
function takenBy({ status, amount, refunds }: SandboxQr): bigint {
  if (status !== 'paid') return 0n;
  const back = refunds.filter((refund) => refund.status === 'succeeded');
  return back.reduce((left, refund) => left - roubles(refund.amount), roubles(amount));
}

function statusesOf(qr: SandboxQr): readonly string[] {
  if (qr.status !== 'paid') return ['expired', 'failed'];
  return takenBy(qr) === roubles(qr.amount) ? ['paid'] : ['partially_refunded'];
}

async function untilStatus({ orderId }: Scene, statuses: readonly string[]): Promise<void> {
  const look = async () =>
    statuses.includes(String((await getStatus(sbp, orderId)).body['status']));
  await waitFor(look, { what: `${orderId} to be ${statuses.join(' or ')}` });
}

/** A paid order is looked at no more, until something is heard of it. */
async function untilLookedAt({ orderId }: Scene): Promise<void> {
  const look = async () => {
    await sbp.looker.lookAtDue();
    return (await sbp.attempts.find(orderId))?.nextLookAt === null;
  };
  await waitFor(look, { what: `${orderId} to be looked at` });
}

/** In any order, some of them twice, in batches of any size, as a queue brings them. */
async function book(events: readonly KopeckEvent[], dice: readonly number[]): Promise<void> {
  let throws = 0;
  const thrown = (): number => dice[(throws += 1) % dice.length] ?? 0;
  const brought = events
    .flatMap((event) => (thrown() % 3 === 0 ? [event, event] : [event]))
    .map((event) => ({ event, place: thrown() }))
    .toSorted((a, b) => a.place - b.place)
    .map(({ event }) => event);
  while (brought.length > 0) await books.book(...brought.splice(0, 1 + (thrown() % 3)));
}

async function booksOf(provider: string): Promise<string> {
  const account = `provider:sbp:${provider} `;
  const line = (await books.balances()).find((one) => one.startsWith(account));
  return line?.slice(account.length).replace(' RUB', '') ?? '0';
}

function kopecksIn(line: string): bigint {
  const amount = line.split(' ')[1] ?? '0';
  return amount.startsWith('-') ? -roubles(amount.slice(1)) : roubles(amount);
}

function roubles(text: string): bigint {
  const kopecks = parseRoubles(text);
  if (kopecks === null) throw new Error(`${text} is no amount`);
  return kopecks;
}
