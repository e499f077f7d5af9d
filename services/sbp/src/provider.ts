import type { Result } from '@kopeck/core/source';

export const PROVIDERS = ['raiffeisen'] as const;
export type ProviderCode = (typeof PROVIDERS)[number];

export type OrderStatus = 'pending' | 'paid' | 'failed' | 'expired';

export interface QrRequest {
  /** Ours, ≤ 32 characters of [0-9a-f]: the provider never sees the shop's own order id. */
  readonly attemptId: string;
  readonly kopecks: bigint;
  readonly expiresAt: Date;
}

export interface Qr {
  /** The provider's own id of the payment. */
  readonly paymentId: string;
  readonly qrcId: string;
  /** What the QR code shows: a link of NSPK. */
  readonly link: string;
}

/** What the provider itself says of a payment. Only this ever becomes an event. */
export interface PaymentState {
  readonly status: OrderStatus;
  /** Whose attempt it is, by the provider's account. */
  readonly attemptId: string;
  readonly qr: Qr;
  /** Set when paid. */
  readonly paidKopecks: bigint | null;
  /** When the payment was made or declined. */
  readonly at: Date | null;
  /** The answers it was read from, as they came. */
  readonly answers: readonly string[];
}

/** A callback tells where to look, never what there is. */
export interface CallbackHint {
  readonly attemptId: string;
  /** Not always signed: believed only when the provider confirms that it is of this attempt. */
  readonly paymentId: string | null;
}

export interface CallbackDelivery {
  readonly header: (name: string) => string | undefined;
  readonly body: Buffer;
}

/** The port of an acquirer: one folder each, with the files config, client, callback, states, provider. */
export interface SbpProvider {
  readonly code: ProviderCode;
  /** The merchant id that takes the money. */
  readonly app: string;
  readonly createQr: (request: QrRequest) => Promise<Qr>;
  readonly getState: (paymentId: string) => Promise<PaymentState>;
  /** Pure: checks the signature over the bytes as they came, and reads the hint. */
  readonly readCallback: (delivery: CallbackDelivery) => Result<CallbackHint>;
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
