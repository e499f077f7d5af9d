import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { waitFor } from '@kopeck/testing/wait-for';
import { allBooked, assertSound, balances, failedJobs, query } from '../rig/books.ts';
import { cryptobot, epn, orderSbp, refreshConfigs, stars, type Answer } from '../rig/partners.ts';
import { NAMES, startRig, type Rig } from '../rig/rig.ts';

const ROUNDS = 10;

/** What a partner was told is kept: the ids of accepted events, and of the orders that were confirmed. */
interface Truth {
  readonly ids: string[];
  readonly stars: Set<string>;
  readonly actions: Set<string>;
  readonly orders: Set<string>;
  readonly refreshed: string[];
}

/** Sends as partners do: what was answered 503, or not at all, is sent again, with the same business identity. */
async function insist(send: () => Promise<Answer>): Promise<Answer> {
  for (;;) {
    try {
      const answer = await send();
      if (answer.status !== 503) return answer;
    } catch {
      // The service is dead just now, or died before it could answer.
    }
    await delay(50);
  }
}

/** Senders that keep going, each one request at a time, until told to stop. */
function startSenders(rig: Rig, truth: Truth, signal: AbortSignal): Promise<unknown> {
  const loop = async (send: (turn: number) => Promise<void>): Promise<void> => {
    for (let turn = 0; !signal.aborted; turn += 1) {
      await send(turn);
      // What has just been started needs the processor more.
      await delay(20);
    }
  };
  const payStars = async (charge: string): Promise<void> => {
    truth.ids.push(idOf(await insist(() => stars(rig, charge, '51'))));
    truth.stars.add(charge);
  };
  return Promise.all([
    loop((turn) => payStars(`a-${turn}`)),
    loop((turn) => payStars(`b-${turn}`)),
    loop(async (turn) => {
      const fields = {
        click_id: 'c',
        order_number: 'o',
        order_status: 'completed',
        commission_fee: '1',
      };
      const uniq = `kill-${turn}`;
      truth.ids.push(idOf(await insist(() => epn(rig, { ...fields, uniq_id: uniq }))));
      truth.actions.add(uniq);
    }),
    loop(async (turn) => {
      // The shop of an order whose answer died with the service tries again later: see create-qr.
      const answer = await orderSbp(rig, `kill-${turn}`, '10').catch(() => null);
      if (answer?.status === 200) truth.orders.add(`kill-${turn}`);
      else await delay(50);
    }),
    loop(async () => {
      const answer = await insist(() => refreshConfigs(rig, '1'));
      if (answer.status === 200) truth.refreshed.push('1');
      await delay(100);
    }),
  ]);
}

function idOf({ status, body }: Answer): string {
  expect(status).toBe(200);
  return String(body['id']);
}

test('every service killed ten times in the middle of its work loses nothing and books nothing twice', async () => {
  // What was acknowledged is deleted at once, so that a kill may come in the middle of that, too.
  const rig = await startRig(NAMES, { JOURNAL_KEEP_HOURS: '0' });
  const truth: Truth = {
    ids: [],
    stars: new Set(),
    actions: new Set(),
    orders: new Set(),
    refreshed: [],
  };
  const ending = new AbortController();
  try {
    // A process that ends well leaves its compiled code behind, and the killed ones start faster.
    await Promise.all(NAMES.map((name) => rig.stop(name)));
    await Promise.all(NAMES.map((name) => rig.start(name)));
    const senders = startSenders(rig, truth, ending.signal);
    for (let round = 0; round < ROUNDS; round += 1) {
      const before = truth.ids.length;
      while (truth.ids.length < before + 20) await delay(5);
      await Promise.all(NAMES.map((name) => rig.kill(name)));
      await Promise.all(NAMES.map((name) => rig.start(name)));
    }
    ending.abort();
    await senders;

    await allBooked(rig, truth.ids, 60_000);
    await ordersBooked(rig, truth.orders);
    const books = await balances(rig);
    expect(books).toContain(`user:51 ${truth.stars.size * 1500} NDN`);
    expect(books).toContain(`provider:epn ${truth.actions.size} RUB`);
    const refreshes = await query(rig, "SELECT 1 FROM inbox WHERE type = 'config.refreshed'");
    expect(refreshes.length).toBeGreaterThanOrEqual(truth.refreshed.length);
    await assertSound(rig);
    expect(await failedJobs(rig)).toBe(0);

    const mails = (await rig.mails()).length;
    await cryptobot(rig, '{"senseless":');
    const mailed = async (): Promise<boolean> => (await rig.mails()).length > mails;
    await waitFor(mailed, { timeoutMs: 30_000, what: 'the courier to mail' });
  } finally {
    ending.abort();
    await rig.close();
  }
}, 300_000);

async function ordersBooked(rig: Rig, orders: ReadonlySet<string>): Promise<void> {
  const known = new Set<string>();
  for (let look = 0; look < 100 && known.size < orders.size; look += 1) {
    for (const row of await query(rig, 'SELECT order_id FROM orders'))
      known.add(String(row['order_id']));
    await delay(200);
  }
  expect([...orders].filter((order) => !known.has(order))).toEqual([]);
}
