import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { waitFor } from '@kopeck/testing/wait-for';
import { allBooked, assertSound, balances, failedJobs, query } from '../rig/books.ts';
import { cryptobot, epn, orderSbp, stars, type Answer } from '../rig/partners.ts';
import { startRig, type Rig } from '../rig/rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig(['sbp', 'crypto', 'epn', 'ledger', 'courier']);
}, 60_000);
/** A test that fails must not take the next ones with it. */
afterEach(async () => {
  if (rig.mariadb.pid === undefined) await rig.mariadb.restart();
  if (rig.redis.pid === undefined) await rig.redis.restart();
});
afterAll(async () => {
  await rig.close();
});

/** Mails whose subject has these words. */
async function mailsAbout(words: string): Promise<readonly string[]> {
  const mails = await rig.mails();
  return mails.filter((mail) =>
    /^Subject: (.*(?:\r?\n[ \t].*)*)/m.exec(mail)?.[1]?.replaceAll(/\s+/g, ' ').includes(words),
  );
}

const id = ({ body }: Answer): string => String(body['id']);

function postback(uniqId: string, commission = '10'): Promise<Answer> {
  const ids = { click_id: 'c-1', order_number: 'ORDER-9', uniq_id: uniqId };
  return epn(rig, {
    ...ids,
    order_status: 'completed',
    commission_fee: commission,
    currency: 'RUB',
  });
}

const invoice = (invoiceId: number, amount: string): string =>
  JSON.stringify({
    update_type: 'invoice_paid',
    payload: { invoice_id: invoiceId, status: 'paid', asset: 'USDT', amount, payload: 'x' },
  });

test('with Redis stopped every partner is answered 200, and all is booked when it is back', async () => {
  await rig.redis.stop();
  const answers = await Promise.all([
    ...Array.from({ length: 20 }, (_, index) => stars(rig, `redis-away-${index}`, '41')),
    postback('redis-away'),
  ]);
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));

  await rig.redis.restart();
  await allBooked(rig, answers.map(id));
  expect(await balances(rig)).toContain('user:41 30000 NDN');
}, 60_000);

test('with Redis emptied what is kept is forwarded again, and nothing is booked twice', async () => {
  const first = await stars(rig, 'before-the-flush', '42');
  await allBooked(rig, [id(first)]);
  await rig.processes.get('ledger')?.stop();
  const second = await stars(rig, 'lost-by-the-flush', '42');
  const redis = new Redis(rig.redis.url);
  await waitFor(
    async () =>
      (await redis.zcard('{kopeck}:events-crypto:prioritized')) +
        (await redis.llen('{kopeck}:events-crypto:wait')) >
      0,
    {
      what: 'the event to reach Redis',
    },
  );
  await redis.flushall();
  redis.disconnect();
  await rig.start('ledger');
  await allBooked(rig, [id(second)]);
  await waitFor(async () => (await balances(rig)).includes('user:42 3000 NDN'));
}, 60_000);

test('with MariaDB stopped payments get 200 and EPN 503, the operator one mail, and all is booked when it is back', async () => {
  await rig.mariadb.stop();
  const paid = await Promise.all(
    Array.from({ length: 20 }, (_, index) => stars(rig, `mariadb-away-${index}`, '43')),
  );
  expect(paid.every(({ status }) => status === 200)).toBe(true);
  expect(await orderSbp(rig, 'mariadb-away', '10')).toMatchObject({
    status: 503,
    retryAfter: '30',
  });

  // The ledger tells within a second or two; until then a postback is simply accepted.
  let tries = 0;
  const refused = await waitFor(
    async () => {
      tries += 1;
      const answer = await postback('mariadb-away');
      return answer.status === 503 && answer;
    },
    { timeoutMs: 20_000, everyMs: 250 },
  );
  expect(tries).toBeGreaterThan(0);
  expect(refused).toMatchObject({ retryAfter: '30', body: { error: 'storage_unavailable' } });
  await waitFor(async () => (await mailsAbout('OPEN: the ledger')).length === 1, {
    timeoutMs: 20_000,
    what: 'the opening mail',
  });

  await rig.mariadb.restart();
  await allBooked(rig, paid.map(id));
  await waitFor(async () => (await balances(rig)).includes('user:43 30000 NDN'));
  await waitFor(
    async () =>
      (await query(rig, "SELECT 1 FROM inbox WHERE subject = 'affiliate:epn_bz:mariadb-away'"))
        .length === 1,
  );
  await waitFor(async () => (await postback('after')).status === 200, {
    timeoutMs: 20_000,
    everyMs: 250,
  });
  await waitFor(async () => (await mailsAbout('OVER: the ledger')).length === 1, {
    timeoutMs: 20_000,
    what: 'the closing mail',
  });
  expect(await mailsAbout('OPEN: the ledger')).toHaveLength(1);
}, 90_000);

test('with the journal full the answer is 503 with Retry-After, and what was accepted before is booked', async () => {
  await rig.redis.stop();
  await rig.processes.get('crypto')?.stop();
  await rig.start('crypto', { JOURNAL_DIR: rig.spareDir, JOURNAL_MAX_BYTES: '131072' });

  const accepted: string[] = [];
  const full = await waitFor(async () => {
    const answer = await stars(rig, `full-${accepted.length}`, '44');
    if (answer.status === 200) accepted.push(id(answer));
    return answer.status !== 200 && answer;
  });
  expect(full).toMatchObject({ status: 503, retryAfter: '30' });
  expect(accepted.length).toBeGreaterThan(10);

  await rig.redis.restart();
  await allBooked(rig, accepted);
  expect(await balances(rig)).toContain(`user:44 ${accepted.length * 1500} NDN`);
  // Acknowledged rows make room, so the receiver takes payments again.
  await waitFor(async () => (await stars(rig, 'room-again', '45')).status === 200);
}, 90_000);

test('the same id with other content is kept, alerted by mail, and never booked over the first', async () => {
  const first = await cryptobot(rig, invoice(777, '5'));
  await allBooked(rig, [id(first)]);
  const second = await cryptobot(rig, invoice(777, '5000'));
  expect(second.status).toBe(200);
  expect(id(second)).toBe(id(first));

  await waitFor(async () => (await query(rig, 'SELECT 1 FROM conflicts')).length === 1);
  expect(await balances(rig)).toContain('provider:cryptobot 5 USDT');
  await waitFor(async () => (await mailsAbout('came again with other content')).length === 1, {
    timeoutMs: 20_000,
    what: 'the mail about the conflict',
  });
}, 60_000);

test('a body that makes no sense comes first, and its genuine twin is booked all the same', async () => {
  const senseless = invoice(888, '6').slice(0, -3);
  const quarantined = await cryptobot(rig, senseless);
  expect(quarantined.status).toBe(200);
  const genuine = await cryptobot(rig, invoice(888, '6'));
  expect(id(genuine)).not.toBe(id(quarantined));
  await allBooked(rig, [id(quarantined), id(genuine)]);
  expect(
    await query(rig, `SELECT outcome FROM inbox WHERE event_id = '${id(quarantined)}'`),
  ).toMatchObject([{ outcome: 'quarantined' }]);
  expect(await balances(rig)).toContain('provider:cryptobot 11 USDT');
}, 60_000);

test('after all of this the books are sound and no job was given up', async () => {
  await assertSound(rig);
  expect(await failedJobs(rig)).toBe(0);
});
