import type { KopeckEvent } from '@kopeck/core/event';
import { textAt } from '@kopeck/core/json';
import { itemsOf, type CryptoPayApp } from '../cryptobot/client.ts';
import { normalise } from '../cryptobot/normalise.ts';
import { parse } from '../cryptobot/parse.ts';
import type { CryptobotProof } from '../cryptobot/verify.ts';
import { asDelivered } from './delivery.ts';
import type { ReadList } from './reconcile.ts';

const PAGE = 1_000;
const HOUR_MS = 3_600_000;
/** An invoice can be paid for 31 days, and the list goes by when it was made. */
const LONGEST_LIFE_MS = 31 * 24 * HOUR_MS;

/**
 * Paid invoices, newest first, page by page, until a page holds nothing new. Once an hour, when asked
 * for, and after a reading that has failed, through to the end: an old invoice that is paid at last
 * stands far behind, where nothing else is new.
 */
export function readInvoices(app: CryptoPayApp): ReadList {
  return async (take, { redis, key, now, since, isAsked }) => {
    const begun = now();
    // Taken away, so that a reading that fails leaves no mark.
    const read = await redis.getdel(key);
    const isQuick = !isAsked && begun.getTime() - Date.parse(read ?? '') < HOUR_MS;
    const oldest = since.getTime() - LONGEST_LIFE_MS;
    for (let offset = 0; ; offset += PAGE) {
      const items = await pageOf(app, offset);
      const fresh = await take(items.flatMap((item) => eventOf(item, app, now()) ?? []));
      const isDone = isQuick ? fresh === 0 : items.every((item) => madeAt(item) < oldest);
      if (items.length < PAGE || isDone) break;
    }
    await redis.set(key, isQuick && read !== null ? read : begun.toISOString());
  };
}

async function pageOf(
  app: CryptoPayApp,
  offset: number,
): Promise<readonly Record<string, unknown>[]> {
  const called = await app.call('getInvoices', { status: 'paid', offset, count: PAGE });
  const items = called.kind === 'ok' ? itemsOf(called.result) : null;
  if (items === null) throw new Error(`getInvoices: ${called.kind}`);
  return items;
}

/** Infinity: it does not say. */
function madeAt(invoice: Readonly<Record<string, unknown>>): number {
  const at = Date.parse(textAt(invoice, 'created_at') ?? '');
  return Number.isNaN(at) ? Infinity : at;
}

/** Null: what makes no sense here comes as a webhook too, and is kept there. */
export function eventOf(
  invoice: object,
  proof: CryptobotProof,
  receivedAt: Date,
): KopeckEvent | null {
  const delivery = asDelivered({ update_type: 'invoice_paid', payload: invoice }, receivedAt);
  const parsed = parse(delivery);
  if (parsed.kind !== 'parsed') return null;
  const { app, network } = proof;
  const normalised = normalise(parsed.value, { app, network }, delivery);
  return normalised.kind === 'event' ? normalised.event : null;
}
