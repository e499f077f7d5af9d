import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { waitFor } from '@kopeck/testing/wait-for';
import { createRandom } from '../chaos/random.ts';
import { tellAll } from '../chaos/senders.ts';
import { settle } from '../chaos/settle.ts';
import { runShop } from '../chaos/shop.ts';
import type { Truth } from '../chaos/truth.ts';
import { contentOfRow, judgeBooks } from '../chaos/verdict.ts';
import { query } from '../rig/books.ts';
import type { Rig } from '../rig/rig.ts';
import { compose, inspect, isHealthy, rigOf, SERVICES, stackUnderTest } from './stack.ts';

const stack = stackUnderTest();
const MANY = 1_000_000;
/** A hundred requests a second: more would only make each start of a service longer. */
const LANES = 6;
/** Long: databases begin slowly where many others want the processor. */
const HEALTHY = { timeoutMs: 240_000, everyMs: 300 };

test('each container restarted and each killed, while partners tell and buyers pay, loses nothing', async () => {
  const rig = await rigOf(stack);
  const before = await eventsOf(rig);
  expect(await denied(rig)).toEqual({ cmd: 0, key: 0, auth: 0, channel: 0 });

  const ending = new AbortController();
  const { signal } = ending;
  const telling = tellAll({ rig, random: createRandom(1), events: MANY, lanes: LANES, signal });
  const selling = runShop(rig, signal);
  try {
    for (const name of SERVICES) {
      await compose(stack, 'restart', '--no-deps', name);
      await waitFor(() => isHealthy(stack, name), { ...HEALTHY, what: `${name}, restarted` });
    }
    for (const name of SERVICES) await killAndWait(name);
  } finally {
    ending.abort();
  }
  const [told, shop] = await Promise.all([telling, selling]);
  process.stdout.write(`${told.events.size} events told ${told.tellings} times\n`);
  expect(told.accepted.size).toBeGreaterThan(100);
  expect(shop.paid.size).toBeGreaterThan(0);

  // The databases may have come back under other addresses.
  const after = await rigOf(stack);
  // An order that was being looked at when sbp was killed is free again after ninety seconds.
  await settle(after, { shop, others: [told], quietMs: 120_000, log: () => undefined });
  // Of a service that is away Traefik says so; the partner comes again.
  const strange = told.strange.filter((answer) => !/^50[24] /.test(answer));
  const events = new Map([...before, ...told.events]);
  expect(await judgeBooks(after, { ...told, strange, events }, shop)).toEqual([]);
  expect(await denied(after)).toEqual({ cmd: 0, key: 0, auth: 0, channel: 0 });
}, 900_000);

/** SIGKILL of all that runs in it, as by the kernel; Docker starts it again. */
async function killAndWait(name: string): Promise<void> {
  const { State } = await inspect(stack, name);
  process.kill(State.Pid, 'SIGKILL');
  const isBack = async (): Promise<boolean> => {
    const now = await inspect(stack, name);
    return now.State.StartedAt !== State.StartedAt && (await isHealthy(stack, name));
  };
  await waitFor(isBack, { ...HEALTHY, what: `${name}, killed` });
}

/** What other tests have brought into the books. */
async function eventsOf(rig: Rig): Promise<Truth['events']> {
  const rows = await query(rig, 'SELECT event_id, outcome, data FROM inbox');
  return new Map(rows.map((row) => [String(row['event_id']), { content: contentOfRow(row) }]));
}

/** How often Redis has refused one of its users something, since it was started. */
async function denied(rig: Rig): Promise<Record<string, number>> {
  const redis = new Redis(rig.redis.url);
  const stats = await redis.info('stats');
  redis.disconnect();
  const counts = [...stats.matchAll(/^acl_access_denied_(\w+):(\d+)/gm)];
  return Object.fromEntries(counts.map(([, what = '', count]) => [what, Number(count)]));
}
