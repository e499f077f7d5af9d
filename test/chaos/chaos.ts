import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMariadbTemplate } from '@kopeck/testing/private-mariadb';
import { query } from '../rig/books.ts';
import { openOutside, type Outside } from '../rig/outside.ts';
import { startRig, type Rig } from '../rig/rig.ts';
import { runBuyers, type Bought } from './buyers.ts';
import { openCopies, type Copy } from './copies.ts';
import { spoil, type Fault } from './faults.ts';
import { createRandom } from './random.ts';
import { tellAll, type Told } from './senders.ts';
import { settle } from './settle.ts';
import { runShop, type Shop } from './shop.ts';
import { judgeBooks } from './verdict.ts';

export interface ChaosOptions {
  readonly seconds: number;
  /** The same seed makes the same events, and the same faults in the same order. */
  readonly seed: number;
  /** At most. */
  readonly events: number;
  readonly faults: readonly [Fault, ...Fault[]];
  /** The processes that may be killed or cut off. */
  readonly copies: readonly [Copy, ...Copy[]];
  /** After so long without a change nothing more is waited for. */
  readonly quietMs: number;
  readonly log: (line: string) => void;
}

export interface ChaosReport {
  readonly seed: number;
  readonly seconds: number;
  readonly events: number;
  readonly accepted: number;
  readonly tellings: number;
  readonly orders: number;
  readonly ordersPaid: number;
  readonly ordersRefunded: number;
  /** Orders that are paid at CryptoBot or in Stars. */
  readonly invoices: number;
  readonly refreshes: number;
  readonly booked: number;
  readonly faults: Readonly<Record<string, number>>;
  /** Empty: everything that was accepted is booked, once, and nothing else is. */
  readonly problems: readonly string[];
}

/**
 * Kopeck in earnest, each service a process, with partners that tell what happens while processes are
 * killed and connections are spoiled; then the books are held against what the partners know.
 */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const dir = await mkdtemp(join(tmpdir(), 'kopeck-chaos-'));
  const template = join(dir, 'template');
  await createMariadbTemplate(template);
  const outside = await openOutside();
  const { FULFILMENT_URL: _none, CERTIFICATE_OF: _neither, ...apis } = outside.env;
  const rig = await startRig([], apis, template);
  try {
    return await chaosIn(rig, outside, options);
  } finally {
    await rig.close();
    await outside.close();
    await rm(dir, { recursive: true, force: true });
  }
}

async function chaosIn(rig: Rig, outside: Outside, options: ChaosOptions): Promise<ChaosReport> {
  const { seconds, seed, events, faults: kinds, quietMs, log } = options;
  const copies = await openCopies(rig, log);
  const ending = new AbortController();
  const { signal } = ending;
  try {
    const telling = tellAll({ rig, random: createRandom(seed), events, signal });
    const selling = runShop(rig, signal);
    const buying = runBuyers({ rig, outside, random: createRandom(seed + 2), seed, signal });
    const { links, revive } = copies;
    const random = createRandom(seed + 1);
    const timer = setTimeout(() => ending.abort(), seconds * 1_000);
    const faults = await spoil({
      rig,
      revive,
      copies: options.copies,
      links,
      kinds,
      random,
      signal,
      log,
    });
    clearTimeout(timer);
    log('all is whole again; what was told is told to its end');
    const [told, shop, bought] = await Promise.all([telling, selling, buying]);
    await settle(rig, { shop, others: [told, bought], quietMs, log });
    const problems = [
      ...bought.refused.map((id) => `paid, and never accepted: ${id}`),
      ...(await judgeBooks(rig, told, shop, bought)),
      ...copies.problems(),
    ];
    return { ...(await figures(rig, told, shop, bought)), seed, seconds, faults, problems };
  } finally {
    ending.abort();
    await copies.close();
  }
}

type Figures = Omit<ChaosReport, 'seed' | 'seconds' | 'faults' | 'problems'>;

async function figures(rig: Rig, told: Told, shop: Shop, { invoices }: Bought): Promise<Figures> {
  const [inbox] = await query(rig, 'SELECT COUNT(*) AS n FROM inbox');
  return {
    events: told.events.size,
    accepted: told.accepted.size,
    tellings: told.tellings,
    orders: shop.ordered.size,
    ordersPaid: shop.paid.size,
    ordersRefunded: shop.refunded.size,
    invoices,
    refreshes: shop.refreshes.done,
    booked: Number(inbox?.['n']),
  };
}
