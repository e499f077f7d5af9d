import { createHash } from 'node:crypto';
import type { AffiliateAction } from '@kopeck/core/event';
import { evidenceOf } from '@kopeck/core/evidence';
import { makeEvent } from '@kopeck/core/make-event';
import { canonicalAmount, isAsset, type Money } from '@kopeck/core/money';
import { senseless, type Delivery, type Normalised } from '@kopeck/core/source';
import { fieldsOf } from './fields.ts';
import type { Network } from './network.ts';
import { textOf } from './parameters.ts';
import type { Postback } from './postback.ts';

/** What brought the postback, where somebody signed it. */
export interface SignedMessage {
  readonly messageId: string;
  readonly evidenceHeaders: readonly string[];
}

/** Without a status nobody knows whether the money is held, earned or lost: a person must look. */
export function normalisePostback(
  postback: Postback,
  network: Network,
  delivery: Delivery,
  signed: SignedMessage | null = null,
): Normalised<never> {
  const { values } = postback;
  if (values.size === 0) return { kind: 'ignored', reason: 'ping' };

  const rawStatus = textOf(values, 'order_status') ?? '';
  const type = network.statuses.get(rawStatus.trim().toLowerCase());
  if (type === 'ignore') return { kind: 'ignored', reason: 'status' };
  if (type === undefined) return senseless('unknown_status');

  const currency = (textOf(values, 'currency') ?? network.defaultCurrency).trim().toUpperCase();
  const revenue = amountIn(postback, network, 'revenue');
  const commission = amountIn(postback, network, 'commission_fee');
  const action: AffiliateAction = {
    ...idsOf(postback, network),
    rawStatus,
    commission: moneyOf(commission, currency),
    revenue: moneyOf(revenue, currency),
    fields: fieldsOf(postback, network),
    ...(signed === null ? {} : { messageId: signed.messageId }),
  };
  const { partner, actionId } = action;
  const event = makeEvent({
    source: 'epn',
    type,
    identity: [partner, actionId, identifying(revenue), identifying(commission), currency],
    subject: `affiliate:${partner}:${actionId}`,
    time: null,
    receivedAt: delivery.receivedAt,
    network: 'main',
    money: action.commission,
    reference: action.orderNumber,
    data: action,
    evidence: evidenceOf(delivery, signed?.evidenceHeaders ?? []),
  });
  return { kind: 'event', event };
}

function idsOf(
  postback: Postback,
  network: Network,
): Pick<AffiliateAction, 'partner' | 'actionId' | 'actionKind' | 'clickId' | 'orderNumber'> {
  const { values } = postback;
  const nativeId = textOf(values, 'uniq_id');
  return {
    partner: network.partner,
    actionId: nativeId ?? syntheticId(postback, network),
    actionKind: nativeId === null ? 'synthetic' : 'native',
    clickId: textOf(values, 'click_id') ?? '',
    orderNumber: textOf(values, 'order_number') ?? '',
  };
}

/** Of fields that stay the same as the order goes through its statuses, and of nothing else. */
function syntheticId({ values }: Postback, { partner, syntheticFrom }: Network): string {
  const parts = syntheticFrom.map((field) => textOf(values, field) ?? '');
  const hash = createHash('sha1').update([partner, ...parts].join('|'));
  return `syn_${hash.digest('hex')}`;
}

interface Amount {
  readonly text: string;
  /** Null: it is none. */
  readonly canonical: string | null;
}

function amountIn(postback: Postback, network: Network, field: string): Amount {
  const text = amountText(postback, network, field);
  return { text, canonical: canonicalAmount(text) };
}

/** What is no number keeps its text: two different ones must not become one event. */
function identifying({ text, canonical }: Amount): string {
  return canonical ?? text;
}

/** Null: absent, or no amount that can be booked; the text stays in `fields` for whoever reviews it. */
function moneyOf({ canonical }: Amount, asset: string): Money | null {
  if (canonical === null || canonical.startsWith('-') || !isAsset(asset)) return null;
  return { asset, amount: canonical };
}

const WITH_COMMA = /^(-?\d{1,3}(?:[ \u00a0\u202f]\d{3})+|-?\d+)(?:,(\d+))?$/;

function amountText({ values }: Postback, { decimalComma }: Network, field: string): string {
  const text = (textOf(values, field) ?? '').trim();
  if (!decimalComma) return text;
  // A point in such a number would be anybody's guess: it is left as it is, but never an amount.
  const [, whole, fraction] = WITH_COMMA.exec(text) ?? [];
  if (whole === undefined) return text === '' ? '' : `? ${text}`;
  const digits = whole.replaceAll(/[ \u00a0\u202f]/g, '');
  return fraction === undefined ? digits : `${digits}.${fraction}`;
}
