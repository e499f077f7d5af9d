import type { AffiliateAction, EventType, KopeckEvent } from '@kopeck/core/event';
import {
  amountOf,
  formatAmount,
  ISSUED_ASSETS,
  multiply,
  truncate,
  type Money,
} from '@kopeck/core/money';
import { lines, sum, type Posting } from './posting.ts';
import { inFoldOrder, type Stored, type StoredEvent } from './stored-event.ts';

export type AffiliateType = Extract<EventType, `affiliate.${string}`>;
export type AffiliateStatus = 'waiting' | 'pending' | 'completed' | 'rejected';
type Affiliate = StoredEvent<AffiliateType>;

export interface AffiliateState {
  readonly status: AffiliateStatus;
  /** The event that made it so. */
  readonly current: Affiliate;
  /** How many different amounts the current status has had. */
  readonly revision: number;
  readonly target: readonly Posting[];
  readonly review: string | null;
}

/** Which statuses may follow which. What is not here comes too late and changes nothing. */
const FOLLOWS: Readonly<Record<AffiliateStatus, readonly AffiliateStatus[]>> = {
  waiting: ['waiting', 'pending', 'completed', 'rejected'],
  pending: ['pending', 'completed', 'rejected'],
  completed: ['completed', 'rejected'],
  rejected: ['completed'],
};

export function statusOf(type: EventType): AffiliateStatus | null {
  const [, status = ''] = type.split('.');
  return type.startsWith('affiliate.') ? (status as AffiliateStatus) : null;
}

/** The action as its events leave it. The partner tells no times, so they fold in order of arrival. */
export function foldAffiliate(events: readonly Stored[]): AffiliateState | null {
  let current: Affiliate | null = null;
  let revision = 0;
  for (const event of inFoldOrder(events) as readonly Affiliate[]) {
    const status = statusOf(event.type);
    const before: AffiliateStatus | null = current === null ? null : statusOf(current.type);
    if (status === null || (before !== null && !FOLLOWS[before].includes(status))) continue;
    revision = before === status ? revision + 1 : 1;
    current = event;
  }
  if (current === null) return null;
  const status = statusOf(current.type) ?? 'waiting';
  return { status, current, revision, ...books(current, status) };
}

function books(
  event: Affiliate,
  status: AffiliateStatus,
): { target: readonly Posting[]; review: string | null } {
  const { commission } = event.data;
  if (status === 'rejected') return { target: [], review: null };
  if (commission === null) return { target: [], review: 'amount-unknown' };
  if (ISSUED_ASSETS.includes(commission.asset)) return { target: [], review: 'reserved-asset' };
  return {
    target: status === 'completed' ? completed(event, commission) : held(event, commission),
    review: null,
  };
}

/** waiting, pending: the commission is promised, and held outside our own income. */
function held({ subject, data }: Affiliate, { asset, amount }: Money): readonly Posting[] {
  const partner = partnerName(data);
  const commission = amountOf(amount);
  return sum(
    lines(
      subject,
      [`held:${partner}`, asset, commission],
      [`commission-held:${partner}`, asset, -commission],
    ),
  );
}

/** completed: it is ours; a part of it is the user's, where the operator shares it. */
function completed(
  { subject, data, inputs }: Affiliate,
  { asset, amount }: Money,
): readonly Posting[] {
  const partner = partnerName(data);
  const commission = amountOf(amount);
  const cashback = cashbackOf(amount, inputs['cashbackPercent'] ?? '0');
  return sum(
    lines(
      subject,
      [`provider:${partner}`, asset, commission],
      [`commission:${partner}`, asset, -commission],
      [`user:${data.clickId}`, asset, cashback],
      [`cashback:${partner}`, asset, -cashback],
    ),
  );
}

/** Rounded down to 0.01, in favour of whoever pays it. */
function cashbackOf(commission: string, percent: string): bigint {
  return truncate(multiply(amountOf(commission), amountOf(percent)) / 100n, 2);
}

/** EPN's accounts carry the short name that operators know. */
function partnerName({ partner }: AffiliateAction): string {
  return partner === 'epn_bz' ? 'epn' : partner;
}

/** Money that was ours and is not, or is again; and amounts that changed under the same status. */
export function affiliateAlert(
  before: AffiliateState | null,
  after: AffiliateState,
): 'charge-back' | 're-approved' | 'revision' | null {
  if (before === null || before.current.id === after.current.id) return null;
  if (before.status === after.status) return 'revision';
  if (before.status === 'completed') return 'charge-back';
  return before.status === 'rejected' ? 're-approved' : null;
}

/**
 * A repeat of what is no longer current: a late retry, or a second approval, or the first amounts once
 * more. Nobody can tell, so a person must look.
 */
export function pastStatus(event: KopeckEvent, known: readonly Stored[]): string | null {
  const status = statusOf(event.type);
  const state = status === null ? null : foldAffiliate(known);
  if (state === null || state.current.id === event.id) return null;
  return state.status === status ? 'repeat-of-past-amounts' : 'repeat-of-past-status';
}

/** The canonical text of the commission, for the row of the action. */
export function commissionText({ commission }: AffiliateAction): string | null {
  return commission === null ? null : formatAmount(amountOf(commission.amount));
}
