import { isRecord } from '@kopeck/core/json';
import type { Normalised } from '@kopeck/core/source';
import { normalisePostback } from '../action.ts';
import type { AffiliateType, Network } from '../network.ts';
import { wrappedParameters } from '../parameters.ts';
import { parsePostback } from '../postback.ts';

/**
 * The words of the statistics are not those of the postbacks: `pending` is new here and on hold there.
 * What is not final would therefore be guesswork, and moves no money of ours: it is left to postbacks.
 */
const STATUSES: ReadonlyMap<string, AffiliateType | 'ignore'> = new Map([
  ['pending', 'ignore'],
  ['hold', 'ignore'],
  ['waiting', 'ignore'],
  ['approved', 'affiliate.completed'],
  ['rejected', 'affiliate.rejected'],
  ['canceled', 'affiliate.rejected'],
]);

/** Our name to theirs. */
const NAMES: Readonly<Record<string, string>> = {
  click_id: 'click_id',
  order_number: 'order_number',
  order_status: 'order_status',
  revenue: 'revenue',
  commission_fee: 'commission_user',
  currency: 'currency',
  offer_id: 'offer_id',
  offer_type: 'offer_type',
  sub: 'sub1',
  sub2: 'sub2',
  sub3: 'sub3',
  sub4: 'sub4',
  sub5: 'sub5',
  click_time: 'transaction_time',
  time_of_order: 'order_time',
  country_code: 'country_code',
};

/** A row as the event that its postback would have made: the same id, so the ledger sees a repeat. */
export function rowEvent(
  row: Readonly<Record<string, unknown>>,
  epn: Network,
  receivedAt: Date,
): Normalised<never> {
  const attributes = attributesIn(row);
  const fields: Record<string, unknown> = { uniq_id: actionIdIn(row) };
  for (const [ours, theirs] of Object.entries(NAMES)) fields[ours] = attributes[theirs] ?? null;
  fields['click_id'] ??= attributes['user_click_id'] ?? null;

  const network: Network = { ...epn, statuses: STATUSES, complains: false };
  const body = Buffer.from(JSON.stringify(row));
  const parsed = parsePostback(wrappedParameters(fields), network);
  if (parsed.kind === 'senseless') return parsed;
  return normalisePostback(parsed.value, network, {
    method: 'GET',
    path: '',
    query: '',
    header: () => undefined,
    body,
    receivedAt,
  });
}

/** What a postback calls `uniq_id`; undefined where the row has none. */
export function actionIdIn(row: Readonly<Record<string, unknown>>): unknown {
  return row['id'] ?? attributesIn(row)['transactionId'];
}

function attributesIn(row: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return isRecord(row['attributes']) ? row['attributes'] : {};
}
