import type { KopeckEvent, SourceName } from './event.ts';

/** One request as it came off the wire, before anyone has believed a word of it. */
export interface Delivery {
  readonly method: string;
  /** The decoded path; may hold a secret, so it is never kept. */
  readonly path: string;
  /** What stands behind the '?', undecoded. */
  readonly query: string;
  readonly header: (name: string) => string | undefined;
  /** Empty while only the head of the request has been read. */
  readonly body: Buffer;
  readonly receivedAt: Date;
}

/** Why nothing of a request was believed. `hidden` looks like a path that does not exist. */
export type Rejection = 'forged' | 'hidden' | 'unconfigured' | 'malformed';

export type Result<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly rejection: Rejection };

/** Authentic, but no sense can be made of it. The reason is a word of ours, never their text. */
export interface Senseless {
  readonly kind: 'senseless';
  readonly reason: string;
  /** Set where the partner's contract wants a 400 besides the quarantine: the body of that answer. */
  readonly complaint?: Readonly<Record<string, string>>;
}

export type Parsed<N> = { readonly kind: 'parsed'; readonly value: N } | Senseless;

export type Normalised<Q> =
  | { readonly kind: 'event'; readonly event: KopeckEvent }
  /** Authentic, and nothing to book. */
  | { readonly kind: 'ignored'; readonly reason: string }
  /** The partner waits for an answer in this very response. */
  | { readonly kind: 'question'; readonly question: Q }
  | Senseless;

/**
 * The port of everything that takes notifications. P is what verification learnt (which app, which
 * network), N the partner's own notification, Q what it asks; nothing outside the folder knows them.
 */
export interface Source<P, N, Q = never> {
  readonly name: SourceName;
  /** 'head': path and headers prove the sender, so a forger's body is never read. */
  readonly proves: 'head' | 'body';
  /** Headers worth keeping as evidence; never one that carries a secret. */
  readonly evidenceHeaders: readonly string[];
  readonly verify: (delivery: Delivery) => Result<P>;
  readonly parse: (delivery: Delivery, proof: P) => Parsed<N>;
  readonly normalise: (notification: N, proof: P, delivery: Delivery) => Normalised<Q>;
}

export function accept<T>(value: T): Result<T> {
  return { ok: true, value };
}

export function reject(rejection: Rejection): Result<never> {
  return { ok: false, rejection };
}

export function parsed<N>(value: N): Parsed<N> {
  return { kind: 'parsed', value };
}

export function senseless(reason: string, complaint?: Readonly<Record<string, string>>): Senseless {
  return complaint === undefined
    ? { kind: 'senseless', reason }
    : { kind: 'senseless', reason, complaint };
}
