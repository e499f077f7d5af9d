import { createHmac } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openEpnStats } from '@kopeck/sandbox/epn-stats/epn-stats';
import { createSandbox } from '@kopeck/sandbox/sandbox';
import { waitFor } from '@kopeck/testing/wait-for';
import { numberFrom } from './rig/number-option.ts';
import { allBooked, assertSound, balances, failedJobs, query } from './rig/books.ts';
import { epn, type Answer } from './rig/partners.ts';
import { startRig, type Rig } from './rig/rig.ts';
import { SECRETS } from './rig/secrets.ts';

/** More by `npm run test:outage`. */
const REQUESTS = numberFrom('EPN_OUTAGE_REQUESTS', 1_000);
const SENDERS = 32;

const OLD_TOKEN = 'epn-token-before-rotation_0123456789abc';
const NETWORK_TOKEN = 'admitad-token-of-the-rig_0123456789abcde';
const SIGNING_KEY = 'whsec_cGF5bWVudC1pbnRha2Utc3VpdGUtdGVzdC1rZXktMDE=';
const STATS_TOKEN = 'first-refresh-token-of-the-rig';
const STATS_KEY = 'ab12'.repeat(16);
const CANARIES = [
  SECRETS.EPN_SECRET_TOKEN,
  OLD_TOKEN,
  NETWORK_TOKEN,
  SIGNING_KEY.slice(6),
  STATS_TOKEN,
  STATS_KEY,
];

let rig: Rig;
beforeAll(async () => {
  rig = await startRig(['epn', 'ledger', 'courier'], {
    EPN_SECRET_TOKEN: `${SECRETS.EPN_SECRET_TOKEN},${OLD_TOKEN}`,
    EPN_CASHBACK_PERCENT: '30',
    AFFILIATE_NETWORKS_DIR: join(import.meta.dirname, '..', 'services', 'epn', 'networks'),
    AFFILIATE_TOKENS: `admitad:${NETWORK_TOKEN}`,
    SVIX_SECRETS: `epn:${SIGNING_KEY}`,
    LOG_LEVEL: 'debug',
  });
}, 60_000);
afterAll(() => rig.close());

const FIGURES = ['/metrics', '/ready', '/health'];

const id = ({ body }: Answer): string => String(body['id']);

interface Fields {
  readonly uniq_id: string;
  readonly order_status: string;
  readonly [name: string]: string;
}

function postback(fields: Fields): Promise<Answer> {
  const usual = { click_id: 'u-5021', order_number: '8190044512207', currency: 'RUB' };
  return epn(rig, { ...usual, commission_fee: '96.35', ...fields });
}

/** What stands on the accounts of a user and of the partner's side of the books. */
async function accounts(pattern: RegExp): Promise<readonly string[]> {
  return (await balances(rig)).filter((line) => pattern.test(line));
}

function actions(uniqPattern: string): ReturnType<typeof query> {
  return query(
    rig,
    `SELECT action_id, status, revision FROM affiliate_actions WHERE action_id LIKE '${uniqPattern}' ORDER BY action_id`,
  );
}

test('an action is held, earned with its cashback, and charged back with a mail', async () => {
  const story = ['waiting', 'pending', 'completed'];
  const answers: Answer[] = [];
  for (const order_status of story) {
    answers.push(await postback({ uniq_id: 'story-1', order_status }));
    await allBooked(rig, answers.map(id));
    if (order_status === 'pending') {
      expect(await accounts(/held/)).toEqual([
        'commission-held:epn -96.35 RUB',
        'held:epn 96.35 RUB',
      ]);
    }
  }
  const again = await postback({ uniq_id: 'story-1', order_status: 'completed' });
  expect(again).toMatchObject({
    status: 200,
    body: { status: 'duplicate', id: answers.map(id)[2] },
  });
  // A sibling of the same order, and a late word about the first.
  const split = await postback({
    uniq_id: 'story-2',
    order_status: 'waiting',
    commission_fee: '16.81',
  });
  const late = await postback({ uniq_id: 'story-1', order_status: 'waiting', commission_fee: '1' });
  await allBooked(rig, [id(split), id(late)]);
  expect(await balances(rig)).toEqual([
    'cashback:epn -28.9 RUB',
    'commission-held:epn -16.81 RUB',
    'commission:epn -96.35 RUB',
    'held:epn 16.81 RUB',
    'provider:epn 96.35 RUB',
    'user:u-5021 28.9 RUB',
  ]);

  const rejected = await postback({ uniq_id: 'story-1', order_status: 'rejected' });
  await allBooked(rig, [id(rejected)]);
  expect(await accounts(/user:|provider:/)).toEqual([]);
  await waitFor(async () => (await rig.mails()).some((mail) => mail.includes('charged back')), {
    timeoutMs: 20_000,
    what: 'the mail about the charge-back',
  });
  // Nobody can tell whether this is a second approval or a retry that comes late.
  await postback({ uniq_id: 'story-1', order_status: 'completed' });
  await waitFor(
    async () =>
      (await query(rig, "SELECT 1 FROM reviews WHERE reason = 'repeat-of-past-status'")).length ===
      1,
  );
  expect(await accounts(/user:|provider:/)).toEqual([]);
}, 60_000);

test('another amount for the status that is current is a revision: booked, and told in the morning', async () => {
  const fields = { uniq_id: 'revised-1', click_id: 'u-revised', order_status: 'completed' };
  const first = await postback(fields);
  await allBooked(rig, [id(first)]);
  expect(await accounts(/u-revised/)).toEqual(['user:u-revised 28.9 RUB']);
  const before = await accounts(/^(commission|provider):epn .*RUB/);

  const revised = await postback({ ...fields, commission_fee: '90' });
  expect(revised).toMatchObject({ status: 200, body: { status: 'accepted' } });
  expect(id(revised)).not.toBe(id(first));
  await allBooked(rig, [id(revised)]);
  expect(await accounts(/u-revised/)).toEqual(['user:u-revised 27 RUB']);
  expect(await accounts(/^(commission|provider):epn .*RUB/)).not.toEqual(before);
  expect(await actions('revised-%')).toEqual([
    { action_id: 'revised-1', status: 'completed', revision: 2 },
  ]);
  const again = await postback({ ...fields, commission_fee: '90' });
  expect(again).toMatchObject({ status: 200, body: { status: 'duplicate', id: id(revised) } });

  const isMailed = async (): Promise<boolean> =>
    (await rig.mails()).some((mail) => mail.includes('revised (same status, other amounts)'));
  const due = `SELECT next_attempt_at > UTC_TIMESTAMP() AS waits FROM outbox
    WHERE event_id = '${id(revised)}' AND kind = 'alert'`;
  expect(await query(rig, due)).toEqual([{ waits: 1 }]);
  expect(await isMailed()).toBe(false);
  await query(
    rig,
    `UPDATE outbox SET next_attempt_at = UTC_TIMESTAMP() WHERE event_id = '${id(revised)}'`,
  );
  await waitFor(isMailed, { what: 'the mail of the morning' });
}, 60_000);

test('the statistics bring into the books what no postback has brought, and nothing twice', async () => {
  const action = { click_id: 'u-stats', order_status: 'completed' };
  const known = await postback({ ...action, uniq_id: 'stats-1', order_number: 'stats' });
  await allBooked(rig, [id(known)]);
  const double = openEpnStats({ clientId: 'client', refreshToken: STATS_TOKEN });
  const sandbox = createSandbox({ doubles: [double], now: () => new Date() });
  const origin = await sandbox.listen(0);
  const rowOf = (uniqId: string) => ({
    id: uniqId,
    attributes: {
      order_number: 'stats',
      order_status: 'approved',
      commission_user: '96.35',
      currency: 'RUB',
      click_id: 'u-stats',
    },
  });
  try {
    await fetch(`${origin}/__sandbox/epn-stats/rows`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify([rowOf('stats-1'), rowOf('stats-2')]),
    });
    for (const look of [1, 2]) {
      await rig.stop('epn');
      await rig.start('epn', {
        EPN_STATS_CLIENT_ID: 'client',
        EPN_STATS_REFRESH_TOKEN: STATS_TOKEN,
        EPN_STATS_KEY: STATS_KEY,
        EPN_STATS_URL: `${origin}/epn-stats`,
        EPN_STATS_OAUTH_URL: `${origin}/epn-stats`,
      });
      const compared = /^.*reconciled with the statistics.*$/m;
      const counts = await waitFor(() => compared.exec(rig.processes.get('epn')?.log() ?? '')?.[0]);
      expect(counts).toContain('"rows":2');
      expect(counts).toContain(look === 1 ? '"duplicates":1' : '"duplicates":2');
    }
    await waitFor(async () => (await actions('stats-%')).length === 2);
  } finally {
    await rig.stop('epn');
    await sandbox.close();
    await rig.start('epn');
  }
  const entries = `SELECT i.subject FROM entries e JOIN inbox i USING (event_id)
    WHERE i.subject LIKE 'affiliate:epn\\_bz:stats-%' ORDER BY i.subject`;
  expect(await query(rig, entries)).toEqual(
    ['stats-1', 'stats-2'].map((each) => ({ subject: `affiliate:epn_bz:${each}` })),
  );
  expect(await accounts(/u-stats/)).toEqual(['user:u-stats 57.8 RUB']);
}, 120_000);

test('ids that differ in case, and orders without an id, are not merged', async () => {
  const fields = { order_status: 'waiting', commission_fee: '1' };
  const answers = await Promise.all([
    postback({ ...fields, uniq_id: 'case-e1' }),
    postback({ ...fields, uniq_id: 'case-E1' }),
    postback({ ...fields, uniq_id: '', order_number: 'without-id-1' }),
    postback({ ...fields, uniq_id: '', order_number: 'without-id-2' }),
  ]);
  await allBooked(rig, answers.map(id));
  expect(await actions('case-%')).toHaveLength(2);
  expect(await actions('syn%')).toHaveLength(2);
});

test('a macro that nobody replaced is a 400, and a quarantined row of its own', async () => {
  const { status, body } = await postback({ uniq_id: '{uniq_id}', order_status: 'waiting' });
  expect({ status, body }).toEqual({
    status: 400,
    body: { error: 'literal_macro', field: 'uniq_id' },
  });
  const kept = "SELECT reason FROM inbox WHERE source = 'epn' AND outcome = 'quarantined'";
  await waitFor(async () => (await query(rig, kept)).length === 1, { what: 'the rejected row' });
  expect(await query(rig, kept)).toEqual([{ reason: 'literal_macro' }]);
});

test('another network and a signed delivery reach the same ledger, and a message brings one event only', async () => {
  const url = `${rig.url.epn}/webhook/admitad/${NETWORK_TOKEN}?subid=u-7&order_id=A-1&admitad_id=1&payment_status=approved&payment_sum=10&currency=USD`;
  const network = (await (await fetch(url)).json()) as Answer['body'];
  const fields = {
    click_id: 'u-8',
    order_number: 'S-1',
    uniq_id: 'svix-1',
    order_status: 'completed',
    commission_fee: '7',
    currency: 'TON',
  };
  const direct = await postback(fields);
  const signed = await svix(fields);
  // Not swallowed as a repeat: the ledger must learn which event the message belongs to.
  expect(signed).toEqual({ status: 'accepted', id: id(direct) });
  expect(await svix(fields)).toEqual({ status: 'duplicate', id: id(direct) });
  await allBooked(rig, [String(network['id']), id(direct)]);
  const known = "SELECT event_id FROM svix_messages WHERE message_id = 'msg_rig'";
  await waitFor(async () => (await query(rig, known)).length === 1, { what: 'the message' });

  await svix({ ...fields, uniq_id: 'svix-2', commission_fee: '9' });
  const kept = "SELECT 1 FROM conflicts WHERE event LIKE '%svix-2%'";
  await waitFor(async () => (await query(rig, kept)).length === 1, { what: 'the conflict' });
  expect(await accounts(/admitad|TON/)).toEqual([
    'cashback:admitad -3 USD',
    'cashback:epn -2.1 TON',
    'commission:admitad -10 USD',
    'commission:epn -7 TON',
    'provider:admitad 10 USD',
    'provider:epn 7 TON',
    'user:u-8 2.1 TON',
  ]);
});

test(`with MariaDB stopped in the middle of ${REQUESTS} requests everything is booked exactly once`, async () => {
  const mailsBefore = (await mailsOfMariadb()).length;
  const third = Math.floor(REQUESTS / 3);
  const counts = { accepted: 0, refused: 0 };
  let next = 0;
  const send = async (): Promise<number> => {
    const uniq_id = `outage-${next}`;
    const retries = next % 2 === 0;
    next += 1;
    const fields = { uniq_id, click_id: 'outage', order_status: 'completed', commission_fee: '1' };
    const { status, retryAfter, body } = await postback(fields);
    if (status === 200) counts.accepted += 1;
    else {
      expect({ status, retryAfter, body }).toEqual({
        status: 503,
        retryAfter: '30',
        body: { error: 'storage_unavailable' },
      });
      counts.refused += 1;
      if (retries) toRetry.push(fields);
    }
    return status;
  };
  const toRetry: Fields[] = [];
  const sendUntil = async (limit: number): Promise<void> => {
    const loop = async (): Promise<void> => {
      if (next >= limit) return;
      await send();
      await loop();
    };
    await Promise.all(Array.from({ length: SENDERS }, loop));
  };

  await Promise.all([sendUntil(third), rig.mariadb.stop()]);
  // What comes before the ledger has noticed is accepted, as any other event is.
  await waitFor(async () => (await send()) === 503, { everyMs: 100 });
  await sendUntil(2 * third);
  expect(counts.refused).toBeGreaterThan(third / 2);
  await mailed(mailsBefore + 1, 'the opening mail');

  await rig.mariadb.restart();
  await Promise.all([sendUntil(REQUESTS), ...toRetry.map((fields) => postback(fields))]);
  const inInbox = "FROM inbox WHERE subject LIKE 'affiliate:epn\\_bz:outage-%'";
  await waitFor(
    async () => (await query(rig, `SELECT COUNT(*) AS n ${inInbox}`))[0]?.['n'] === next,
    { timeoutMs: 60_000, everyMs: 200, what: `${next} events to be booked` },
  );
  expect(await accounts(/user:outage/)).toEqual([`user:outage ${(next * 3) / 10} RUB`]);
  const doubled = `SELECT subject ${inInbox} GROUP BY subject HAVING COUNT(*) > 1`;
  expect(await query(rig, doubled)).toEqual([]);
  await mailed(mailsBefore + 2, 'the closing mail');
  expect(await mailsOfMariadb()).toHaveLength(mailsBefore + 2);
}, 170_000);

test('no token or key is in any log, metric, job, mail or journal', async () => {
  await fetch(`${rig.url.epn}/webhook/${OLD_TOKEN}?click_id=1`);
  await fetch(`${rig.url.epn}/webhook/${SECRETS.EPN_SECRET_TOKEN.slice(0, -1)}X?click_id=canary`);
  await fetch(`${rig.url.epn}/webhook/${OLD_TOKEN}/x`, { method: 'PUT' });
  const kept = [
    ...[...rig.processes.values()].map((process) => process.log()),
    ...(await rig.mails()),
    await everythingIn(rig.redis.url),
    JSON.stringify(await query(rig, 'SELECT * FROM inbox')),
    JSON.stringify(await query(rig, 'SELECT * FROM outbox')),
    ...(await Promise.all(
      FIGURES.map(async (path) => (await fetch(`${rig.metricsUrl.epn}${path}`)).text()),
    )),
    ...(await filesIn(join(rig.journalDir, 'epn'))),
  ].join('\n');
  for (const told of ['delivery rejected', 'kopeck_deliveries_total', 'SQLite format']) {
    expect(kept).toContain(told);
  }
  for (const canary of CANARIES) expect(kept).not.toContain(canary);
});

test('after all of this the books are sound and no job was given up', async () => {
  await assertSound(rig);
  expect(await failedJobs(rig)).toBe(0);
});

async function mailed(count: number, what: string): Promise<void> {
  await waitFor(async () => (await mailsOfMariadb()).length >= count, { what });
}

/** On a machine that is slow enough, Redis is told to be down as well. */
async function mailsOfMariadb(): Promise<readonly string[]> {
  return (await rig.mails()).filter((mail) => mail.includes('(MariaDB)'));
}

async function svix(data: Readonly<Record<string, string>>): Promise<Answer['body']> {
  const body = JSON.stringify({ type: 'affiliate.postback', data });
  const timestamp = String(Math.floor(Date.now() / 1000));
  const key = Buffer.from(SIGNING_KEY.slice(6), 'base64');
  const signature = createHmac('sha256', key)
    .update(`msg_rig.${timestamp}.${body}`)
    .digest('base64');
  const response = await fetch(`${rig.url.epn}/svix/epn`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'svix-id': 'msg_rig',
      'svix-timestamp': timestamp,
      'svix-signature': `v1,${signature}`,
    },
    body,
  });
  return (await response.json()) as Answer['body'];
}

/** Whatever Redis was ever told, as its append-only file has it. */
async function everythingIn(url: string): Promise<string> {
  const redis = new Redis(url);
  const [, dir = ''] = await redis.config('GET', 'dir');
  redis.disconnect();
  const told = (await filesIn(join(dir, 'appendonlydir'))).join('\n');
  expect(told).toContain('affiliate.completed');
  return told;
}

async function filesIn(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder);
  return Promise.all(names.map((name) => readFile(join(folder, name), 'latin1')));
}
