import { createHash } from 'node:crypto';
import type { AffiliateAction, EventType } from '@kopeck/core/event';
import { evidenceOf } from '@kopeck/core/evidence';
import { makeEvent } from '@kopeck/core/make-event';
import { canonicalAmount, isAsset, type Money } from '@kopeck/core/money';
import { senseless, type Delivery, type Normalised } from '@kopeck/core/source';
import { fieldsOf } from '../fields.ts';
import { textOf } from '../parameters.ts';
import type { EpnConfig } from './config.ts';
import type { EpnPostback } from './parse.ts';

export const PARTNER = 'epn_bz';

type AffiliateType = Extract<EventType, `affiliate.${string}`>;

/** Their words on the left, those of the cabinet and the aliases seen in the wild; ours on the right. */
const TYPES: ReadonlyMap<string, AffiliateType> = new Map([
  ['waiting', 'affiliate.waiting'],
  ['open', 'affiliate.waiting'],
  ['pending', 'affiliate.pending'],
  ['hold', 'affiliate.pending'],
  ['completed', 'affiliate.completed'],
  ['confirmed', 'affiliate.completed'],
  ['approved', 'affiliate.completed'],
  ['rejected', 'affiliate.rejected'],
  ['cancelled', 'affiliate.rejected'],
  ['canceled', 'affiliate.rejected'],
  ['declined', 'affiliate.rejected'],
]);

/** Without a status nobody knows whether the money is held, earned or lost: a person must look. */
export function normalise(
  postback: EpnPostback,
  delivery: Delivery,
  config: Pick<EpnConfig, 'EPN_DEFAULT_CURRENCY'>,
): Normalised<never> {
  if (postback.size === 0) return { kind: 'ignored', reason: 'ping' };

  const rawStatus = textOf(postback, 'order_status') ?? '';
  const type = TYPES.get(rawStatus.trim().toLowerCase());
  if (type === undefined) return senseless('unknown_status');

  const currency = currencyOf(postback, config);
  const action = actionOf(postback, rawStatus, currency);
  const amounts = ['revenue', 'commission_fee'].map((field) => identityAmount(postback, field));
  const event = makeEvent({
    source: 'epn',
    type,
    identity: [PARTNER, action.actionId, ...amounts, currency],
    subject: `affiliate:${PARTNER}:${action.actionId}`,
    time: null,
    receivedAt: delivery.receivedAt,
    network: 'main',
    money: action.commission,
    reference: action.orderNumber,
    data: action,
    evidence: evidenceOf(delivery, []),
  });
  return { kind: 'event', event };
}

function actionOf(postback: EpnPostback, rawStatus: string, currency: string): AffiliateAction {
  const uniqId = textOf(postback, 'uniq_id');
  return {
    partner: PARTNER,
    actionId: uniqId ?? syntheticId(postback),
    actionKind: uniqId === null ? 'synthetic' : 'native',
    clickId: textOf(postback, 'click_id') ?? '',
    orderNumber: textOf(postback, 'order_number') ?? '',
    rawStatus,
    commission: moneyOf(postback, 'commission_fee', currency),
    revenue: moneyOf(postback, 'revenue', currency),
    fields: fieldsOf(postback),
  };
}

/** Of fields that stay the same as the order goes through its statuses, and of nothing else. */
function syntheticId(postback: EpnPostback): string {
  const parts = ['order_number', 'offer_id', 'offer_type', 'click_id'].map(
    (field) => textOf(postback, field) ?? '',
  );
  return `syn_${createHash('sha1')
    .update([PARTNER, ...parts].join('|'))
    .digest('hex')}`;
}

function currencyOf(
  postback: EpnPostback,
  { EPN_DEFAULT_CURRENCY }: Pick<EpnConfig, 'EPN_DEFAULT_CURRENCY'>,
): string {
  return (textOf(postback, 'currency') ?? EPN_DEFAULT_CURRENCY).trim().toUpperCase();
}

/** Null: absent, or no amount that can be booked; the text stays in `fields` for whoever reviews it. */
function moneyOf(postback: EpnPostback, field: string, asset: string): Money | null {
  const amount = canonicalAmount((textOf(postback, field) ?? '').trim());
  if (amount === null || amount.startsWith('-') || !isAsset(asset)) return null;
  return { asset, amount };
}

/** What is no number keeps its text: two different ones must not become one event. */
function identityAmount(postback: EpnPostback, field: string): string {
  const text = (textOf(postback, field) ?? '').trim();
  return canonicalAmount(text) ?? text;
}
