import { randomInt, randomUUID } from 'node:crypto';
import { dynamicLink, mintQrcId } from '@kopeck/core/nspk';
import { KEEPS_NOTHING, type KeptCodes } from './kept-codes.ts';
import type { LinkStyle } from './knobs.ts';

/** An unregistered member of SBP: nobody's bank can pay such a link by mistake. */
const SANDBOX_BANK = '000000000001';

export interface Attempt {
  readonly transactionId: number;
  readonly result: 'success' | 'declined';
  readonly at: Date;
}

export interface Qr {
  readonly qrcId: string;
  readonly link: string;
  /** The merchant's own number of the order: what our service calls the attempt. */
  readonly order: string;
  readonly merchant: string;
  readonly kopecks: bigint;
  /** What the merchant sent, as it came. */
  readonly asked: unknown;
  readonly createdAt: Date;
  expiresAt: Date;
  isCancelled: boolean;
  readonly attempts: Attempt[];
  readonly refunds: Refund[];
}

export interface Refund {
  readonly id: string;
  /** The merchant's own id of it, where the dialect has one. */
  readonly key: string | null;
  readonly kopecks: bigint;
  status: 'pending' | 'succeeded' | 'declined';
}

export type QrStatus = 'new' | 'paid' | 'cancelled' | 'expired';

export type NewQr = Pick<Qr, 'order' | 'merchant' | 'kopecks' | 'asked' | 'expiresAt'>;

export type PayResult =
  | { readonly kind: 'done'; readonly qr: Qr; readonly attempt: Attempt }
  | {
      readonly kind: 'refused';
      readonly why: 'unknown' | 'wrong-amount' | 'already-paid' | 'cancelled' | 'expired';
    };

/** What any acquirer does, whatever its dialect: QR codes, payers and a clock that can be moved. */
export interface Engine {
  readonly now: () => Date;
  readonly advance: (ms: number) => void;
  readonly register: (order: NewQr, style: LinkStyle) => Qr;
  readonly find: (qrcId: string) => Qr | undefined;
  readonly all: () => readonly Qr[];
  /** Whether some QR of this order was paid: then no further one may be registered. */
  readonly isPaid: (order: string) => boolean;
  /** False: it is not live any more. */
  readonly cancel: (qr: Qr) => boolean;
  /** Its time is over at once. */
  readonly expire: (qr: Qr) => void;
  /** Something of a code was changed from outside. */
  readonly changed: () => void;
  /** A payer scans the code. Without an amount the one on the code is paid. */
  readonly pay: (qrcId: string, result: Attempt['result'], kopecks: bigint | null) => PayResult;
  readonly statusOf: (qr: Qr) => QrStatus;
  /** What it looks like to whoever does not know of its payment yet. */
  readonly unpaidStatusOf: (qr: Qr) => QrStatus;
  readonly reset: () => void;
}

export function createEngine(clock: () => Date, kept: KeptCodes = KEEPS_NOTHING): Engine {
  const qrs = new Map(kept.load().map((qr) => [qr.qrcId, qr]));
  const keep = (): void => kept.save([...qrs.values()]);
  let aheadMs = 0;
  const now = (): Date => new Date(clock().getTime() + aheadMs);

  const statusOf = (qr: Qr): QrStatus => (isPaid(qr) ? 'paid' : unpaidStatusOf(qr));

  function unpaidStatusOf(qr: Qr): QrStatus {
    if (qr.isCancelled) return 'cancelled';
    return now() >= qr.expiresAt ? 'expired' : 'new';
  }

  return {
    now,
    advance: (ms) => void (aheadMs += ms),
    register(order, style) {
      const qrcId = style === 'mock-hex' ? mockId() : mintQrcId(randomUUID());
      const link = linkOf(qrcId, order.kopecks, style);
      const qr: Qr = { ...order, qrcId, link, createdAt: now(), ...fresh() };
      qrs.set(qrcId, qr);
      keep();
      return qr;
    },
    find: (qrcId) => qrs.get(qrcId),
    all: () => [...qrs.values()],
    isPaid: (order) => [...qrs.values()].some((qr) => qr.order === order && isPaid(qr)),
    cancel(qr) {
      if (statusOf(qr) !== 'new') return false;
      qr.isCancelled = true;
      keep();
      return true;
    },
    expire(qr) {
      qr.expiresAt = now();
      keep();
    },
    changed: keep,
    pay(qrcId, result, kopecks) {
      const qr = qrs.get(qrcId);
      if (qr === undefined) return { kind: 'refused', why: 'unknown' };
      const why = refusal(statusOf(qr), qr, kopecks);
      if (why !== null) return { kind: 'refused', why };

      const attempt: Attempt = { transactionId: randomInt(1, 2 ** 31), result, at: now() };
      qr.attempts.push(attempt);
      keep();
      return { kind: 'done', qr, attempt };
    },
    statusOf,
    unpaidStatusOf,
    reset() {
      qrs.clear();
      aheadMs = 0;
      keep();
    },
  };
}

function fresh(): Pick<Qr, 'isCancelled' | 'attempts' | 'refunds'> {
  return { isCancelled: false, attempts: [], refunds: [] };
}

/** Two letters and hex: no UUID is in it. */
/** The F makes sure that it is nothing that NSPK could have made: any other may be, once in a while. */
function mockId(): string {
  const hex = randomUUID().replaceAll('-', '').toUpperCase();
  return `AD${hex.slice(2, 6)}F${hex.slice(7)}`;
}

type Refusal = (PayResult & { kind: 'refused' })['why'];

function refusal(status: QrStatus, qr: Qr, kopecks: bigint | null): Refusal | null {
  if (status === 'paid') return 'already-paid';
  if (status !== 'new') return status;
  return kopecks === null || kopecks === qr.kopecks ? null : 'wrong-amount';
}

function isPaid({ attempts }: Qr): boolean {
  return attempts.some(({ result }) => result === 'success');
}

function linkOf(qrcId: string, kopecks: bigint, style: LinkStyle): string {
  const link = dynamicLink({ qrcId, bank: SANDBOX_BANK, kopecks });
  if (style === 'short') return link.slice(0, link.indexOf('?'));
  // The placeholder that banks' own sandboxes hand out.
  return style === 'bad-crc' ? link.replace(/[^=]+$/, 'C08B') : link;
}
