import type { Result } from '@kopeck/core/source';

/** The name of a provider's folder: 'raiffeisen', 'tbank' … */
export type ProviderCode = string;

/** What a provider says of a payment. */
export type PaymentStatus = 'pending' | 'paid' | 'failed' | 'expired';
/** What an order has come to. */
export type OrderStatus = PaymentStatus | 'partially_refunded' | 'refunded';

export interface QrRequest {
  /** Ours, 32 characters of [0-9a-f]: the provider never sees the shop's own order id. */
  readonly attemptId: string;
  readonly kopecks: bigint;
  readonly expiresAt: Date;
  /** At most 140 characters; a provider that takes fewer gets the beginning. */
  readonly description: string | null;
  /** Where the payer's browser goes afterwards. */
  readonly returnUrl: string | null;
}

export interface Qr {
  /** The provider's own id of the payment. */
  readonly paymentId: string;
  /** Null: the link is none of NSPK, but a page of the provider. */
  readonly qrcId: string | null;
  /** What the QR code shows. */
  readonly link: string;
}

/** What the provider itself says of a payment. Only this ever becomes an event. */
export interface PaymentState {
  readonly status: PaymentStatus;
  /** Whose attempt it is, by the provider's account; null: it knows no ids but its own. */
  readonly attemptId: string | null;
  /** Null: this answer does not tell. */
  readonly qr: Qr | null;
  /** Set when paid; null then: the provider does not tell, its codes take no other sum. */
  readonly paidKopecks: bigint | null;
  /**
   * All that went back so far, refunds by hand in the provider's cabinet included. 'part': some of it, and
   * it does not tell how much. Null: it does not tell at all.
   */
  readonly refundedKopecks: bigint | 'part' | null;
  /** The operation in SBP, where a refund has to name it. */
  readonly operationId: string | null;
  /** When the payment was made or declined. */
  readonly at: Date | null;
  /** The answers it was read from, as they came. */
  readonly answers: readonly string[];
}

/** A callback tells where to look, never what there is. Both null: it is about nothing of ours. */
export interface CallbackHint {
  readonly attemptId: string | null;
  /** Not always signed: believed only when the provider confirms that it is of this attempt. */
  readonly paymentId: string | null;
}

export interface CallbackDelivery {
  readonly header: (name: string) => string | undefined;
  readonly body: Buffer;
}

export interface CallbackRules {
  readonly contentType: 'json' | 'any';
  /** Where the provider says its callbacks come from. Others are counted, never refused. */
  readonly networks: readonly string[];
  /** The words that stop its repetitions; null: any 200 does. */
  readonly acknowledgement: string | null;
}

export interface RefundRequest {
  /** Ours, 32 characters of [0-9a-f], one per refund. */
  readonly refundKey: string;
  readonly attemptId: string;
  readonly paymentId: string;
  readonly operationId: string | null;
  readonly kopecks: bigint;
  readonly paidKopecks: bigint;
}

export interface SentRefund extends RefundRequest {
  /** The provider's own id; null: its answer was lost. */
  readonly providerRefundId: string | null;
  /** How long ago it was sent. */
  readonly ageMs: number;
  /** The provider has said that it is at it. */
  readonly wasAccepted: boolean;
  /** Whether the same payment has other refunds. */
  readonly isOnlyOne: boolean;
}

export interface RefundState {
  readonly status: 'pending' | 'succeeded' | 'failed';
  readonly providerRefundId: string | null;
  readonly answers: readonly string[];
}

export interface ProviderLimits {
  readonly minKopecks: bigint;
  readonly maxKopecks: bigint;
  /** For how long a code may live. Equal: the provider does not let it be chosen. */
  readonly minTtlMinutes: number;
  readonly maxTtlMinutes: number;
}

/** The port of an acquirer: one folder each, with the files config, client, callback, states, provider. */
export interface SbpProvider {
  readonly code: ProviderCode;
  /** The merchant id that takes the money. */
  readonly app: string;
  readonly limits: ProviderLimits;
  /** False: it never says that a code has expired, so our own clock does. */
  readonly tellsExpiry: boolean;
  readonly callbacks: CallbackRules;
  readonly createQr: (request: QrRequest) => Promise<Qr>;
  /**
   * After a lost answer: what came of the same request. Null: no code that anybody could pay, another one
   * may be made. Missing: that cannot be known, so none is made while a lost one may live.
   */
  readonly recoverQr?: (request: QrRequest) => Promise<Qr | null>;
  /** `since`: when the order was made, if that is known; no payment of it is older. */
  readonly getState: (paymentId: string, since?: Date) => Promise<PaymentState>;
  /** Checks the signature over the bytes as they came, and reads the hint. */
  readonly readCallback: (delivery: CallbackDelivery) => Promise<Result<CallbackHint>>;
  /** Missing: a code lives until it expires. */
  readonly cancel?: (paymentId: string) => Promise<void>;
  /** Called once for a refund, whatever comes of it. */
  readonly refund: (request: RefundRequest) => Promise<RefundState>;
  /** Reads back a refund that was sent. Null: the provider cannot tell, a person must look. */
  readonly readRefund: (refund: SentRefund) => Promise<RefundState | null>;
}

export type ProviderFailure =
  /** It said no, and did nothing. */
  | 'rejected'
  /** It does not accept our credentials. */
  | 'auth'
  /** It asks to come again later, and did nothing. */
  | 'busy'
  /** Nothing was sent: no connection came about. */
  | 'unreachable'
  /** No answer that can be read: it may have done what it was asked. */
  | 'unknown';

/** The message may be shown to the shop: it quotes no secret and nothing of ours. */
export class ProviderError extends Error {
  override name = 'ProviderError' as const;
  readonly failure: ProviderFailure;

  constructor(failure: ProviderFailure, message: string) {
    super(message);
    this.failure = failure;
  }
}
