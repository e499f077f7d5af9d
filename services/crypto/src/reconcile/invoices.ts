import type { KopeckEvent } from '@kopeck/core/event';
import { itemsOf, type CryptoPayApp } from '../cryptobot/client.ts';
import { normalise } from '../cryptobot/normalise.ts';
import { parse } from '../cryptobot/parse.ts';
import type { CryptobotProof } from '../cryptobot/verify.ts';
import { asDelivered } from './delivery.ts';
import type { ReadList } from './reconcile.ts';

const PAGE = 1_000;

/** Paid invoices, page by page, until a page holds nothing new. */
export function readInvoices(app: CryptoPayApp): ReadList {
  return async (take, { now }) => {
    for (let offset = 0; ; offset += PAGE) {
      const called = await app.call('getInvoices', { status: 'paid', offset, count: PAGE });
      const items = called.kind === 'ok' ? itemsOf(called.result) : null;
      if (items === null) throw new Error(`getInvoices: ${called.kind}`);

      const events = items.flatMap((item) => eventOf(item, app, now()) ?? []);
      const fresh = await take(events);
      if (items.length < PAGE || fresh === 0) return;
    }
  };
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
